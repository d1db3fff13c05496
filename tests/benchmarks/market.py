"""Payloads of books that agree: `PayloadStream` with prices around a fair one, and now and then a gift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.benchmarks.payloads import PayloadStream

MARGIN = 1.07
DISAGREEMENT = 0.005
GENEROUS = 1.13
"""A generous price has an EV of 13%: above the threshold (an edge of .05), below that of a likely error (.30)."""


@dataclass
class MarketStream(PayloadStream):
    """Every step, `gifts` totals are offered above their fair price, and those of the step before withdrawn."""

    gifts: int = 5

    def __post_init__(self) -> None:
        self._fair: dict[str, list[float]] = {}
        self._given: list[tuple[dict[str, Any], float]] = []
        super().__post_init__()

    def step(self) -> bytes:
        """Take back the last gifts, hand out new ones, and move on by a second."""
        for outcome, price in self._given:
            outcome["price"] = price
        self._given = [self._give() for _ in range(self.gifts)]
        return super().step()

    def _give(self) -> tuple[dict[str, Any], float]:
        """Raise one book's price of a favourite; the outcome and its price before."""
        totals = self._random.choice(self._random.choice(self._listed)["bookmakers"])["markets"][2]
        favourite = min(totals["outcomes"], key=lambda outcome: outcome["price"])
        before = favourite["price"]
        favourite["price"] = round(before * MARGIN * GENEROUS, 2)
        return favourite, before

    def _event(self, number: int) -> dict[str, Any]:
        home, draw = self._random.uniform(0.3, 0.5), self._random.uniform(0.2, 0.3)
        sides = [self._random.uniform(0.48, 0.52) for _ in ("spreads", "totals")]
        self._fair = {"h2h": [1 - home - draw, home, draw]} | {
            key: [p, 1 - p] for key, p in zip(("spreads", "totals"), sides, strict=True)
        }
        start = self.now + timedelta(hours=1 + number)
        return super()._event(number) | {"commence_time": start.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _book(self, number: int, home: str, away: str) -> dict[str, Any]:
        book = super()._book(number, home, away)
        for market in book["markets"]:
            for outcome, fair in zip(market["outcomes"], self._fair[market["key"]], strict=True):
                outcome["price"] = round(self._random.gauss(1, DISAGREEMENT) / (fair * MARGIN), 2)
        return book
