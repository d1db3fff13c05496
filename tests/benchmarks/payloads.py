"""Large payloads of `/odds` that move like a real feed: the input of the benchmarks.

100 events x 40 books x 3 markets are 28,000 prices and 2.4 MB. In each step (a second) books reprice events
until about 800 prices have moved; a book states a new time on an event when it does so, and of itself every
40-60 s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

SPORT = "soccer_epl"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPRICED_MARKETS = (58, 26, 16)
"""How often a book that reprices an event moves one, two or three markets, from the recorded NFL week."""
_SMALLEST_PRICE = 1.05


@dataclass
class PayloadStream:
    """Call `step` for the next body; the same seed gives the same bodies."""

    events: int = 100
    books: int = 40
    changes: int = 800
    seed: int = 20260301
    now: datetime = START
    _random: random.Random = field(init=False)
    _listed: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._listed = [self._event(number) for number in range(self.events)]

    @property
    def prices(self) -> int:
        """How many prices a body holds."""
        return self.events * self.books * 7

    def body(self) -> bytes:
        """The payload of this moment."""
        return msgspec.json.encode(self._listed)

    def step(self) -> bytes:
        """Move on by a second and return the new payload."""
        self.now += timedelta(seconds=1)
        second = int((self.now - START).total_seconds())
        for event in self._listed:
            for number, book in enumerate(event["bookmakers"]):
                if second % (40 + number % 21) == number % 40:
                    self._confirm(book)
        moved = 0
        while moved < self.changes:
            book = self._random.choice(self._random.choice(self._listed)["bookmakers"])
            [count] = self._random.choices([1, 2, 3], REPRICED_MARKETS)
            moved += sum(self._move(market) for market in self._random.sample(book["markets"], count))
            self._confirm(book)
        return self.body()

    def _move(self, market: dict[str, Any]) -> int:
        for outcome in market["outcomes"]:
            step = self._random.choice([-0.05, -0.01, 0.01, 0.05])
            price = round(outcome["price"] + step, 2)
            outcome["price"] = price if price > _SMALLEST_PRICE else round(outcome["price"] + abs(step), 2)
        return len(market["outcomes"])

    def _confirm(self, book: dict[str, Any]) -> None:
        for stated in (book, *book["markets"]):
            stated["last_update"] = self._stamp()

    def _stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _event(self, number: int) -> dict[str, Any]:
        home, away = f"Home Rovers {number}", f"Away United {number}"
        return {
            "id": f"{number:032x}",
            "sport_key": SPORT,
            "sport_title": "EPL",
            "commence_time": (START + timedelta(hours=1 + number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "home_team": home,
            "away_team": away,
            "bookmakers": [self._book(book, home, away) for book in range(self.books)],
        }

    def _book(self, number: int, home: str, away: str) -> dict[str, Any]:
        markets = {
            "h2h": [self._outcome(away), self._outcome(home), self._outcome("Draw")],
            "spreads": [self._outcome(away, 0.5), self._outcome(home, -0.5)],
            "totals": [self._outcome("Over", 2.5), self._outcome("Under", 2.5)],
        }
        return {
            "key": f"bookmaker_{number}",
            "title": f"Bookmaker {number}",
            "last_update": self._stamp(),
            "markets": [
                {"key": key, "last_update": self._stamp(), "outcomes": outcomes} for key, outcomes in markets.items()
            ],
        }

    def _outcome(self, name: str, point: float | None = None) -> dict[str, Any]:
        outcome: dict[str, Any] = {"name": name, "price": round(self._random.uniform(1.5, 4.5), 2)}
        return outcome if point is None else outcome | {"point": point}
