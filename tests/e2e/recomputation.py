"""The alerts of a recorded tape, computed the slow and obvious way: every payload whole, nothing remembered.

Shares the valuation of `ml.scoring.valuation` with the running system and nothing else: no differ, no
database, no stream, no matrix, no dirty rows. Names instead of ids.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.clock import micros
from ml.scoring.rules import ScoringRules, Verdict
from ml.scoring.valuation import LineView, Valuation, value_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ORDER = {"h2h": ("home", "away"), "spreads": ("home", "away"), "totals": ("over", "under")}


class Key(NamedTuple):
    """What an alert is about, by name."""

    kind: str
    event: str
    market: str
    point: float | None
    outcome: str | None = None
    book: str | None = None


class Record(NamedTuple):
    """One step of an alert, as announced."""

    key: Key
    state: str
    reason: str | None
    observed_at: datetime
    numbers: tuple[float | None, ...]


@dataclass
class Line:
    """One line of one payload: prices by book and outcome name."""

    start: datetime
    quotes: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    times: dict[str, datetime] = field(default_factory=dict)


def decimal(american: float) -> float:
    """Decimal odds of American ones."""
    return 1 + american / 100 if american > 0 else 1 - 100 / american


def lines_of(payload: bytes) -> dict[tuple[str, str, float | None], Line]:
    """All lines of a payload by (event, market, home point or total)."""
    lines: dict[tuple[str, str, float | None], Line] = {}
    for event in json.loads(payload):
        names = {event["home_team"]: "home", event["away_team"]: "away", "Over": "over", "Under": "under"}
        start = datetime.fromisoformat(event["commence_time"])
        for book, market, outcome in _outcomes(event):
            name = names[outcome["name"]]
            point = outcome.get("point")
            if market["key"] == "spreads" and name == "away":
                point = -outcome["point"]
            line = lines.setdefault((event["id"], market["key"], point), Line(start))
            line.quotes[book["key"]][name] = decimal(outcome["price"])
            line.times[book["key"]] = datetime.fromisoformat(market.get("last_update") or book["last_update"])
    return lines


def _outcomes(event: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    for book in event["bookmakers"]:
        for market in book["markets"]:
            for outcome in market["outcomes"]:
                yield book, market, outcome


def view_of(lines: list[tuple[str, Line]], books: list[str], weight_of: Callable[[str], float]) -> LineView:
    """All lines of a payload as the valuation takes them; each comes with its market."""
    price = np.full((len(lines), len(books), 2), np.nan)
    times = np.zeros(price.shape[:2], np.int64)
    for i, (market, line) in enumerate(lines):
        for book, quotes in line.quotes.items():
            b = books.index(book)
            price[i, b] = [quotes.get(name, np.nan) for name in ORDER[market]]
            times[i, b] = micros(line.times[book])
    start = np.array([micros(line.start) for _, line in lines])
    return LineView(price, times, start, np.array([weight_of(b) for b in books]))


def verdicts(
    payload: bytes, at: datetime, rules: ScoringRules, weight_of: Callable[[str], float]
) -> Iterator[tuple[Key, Verdict, tuple[float | None, ...]]]:
    """The verdict on every price and every line's arbitrage, where there is one to speak of."""
    lines = lines_of(payload)
    keys = list(lines)
    books = sorted({book for line in lines.values() for book in line.quotes})
    view = view_of([(key[1], line) for key, line in lines.items()], books, weight_of)
    value = value_lines(view, micros(at), rules)
    for i, b, o in np.argwhere(value.verdict != Verdict.NOTHING):
        event, market, point = keys[i]
        name = ORDER[market][o]
        own = 0.0 - point if market == "spreads" and name == "away" and point is not None else point
        key = Key("value", event, market, own, name, books[b])
        yield key, Verdict(value.verdict[i, b, o]), _numbers(value, view, i, b, o)
    for i in np.flatnonzero(value.arbitrage_verdict):
        best = value.arbitrage
        numbers = (best.guaranteed_return[i], *best.price[i], *best.stake_fraction[i])
        yield Key("arbitrage", *keys[i]), Verdict(value.arbitrage_verdict[i]), tuple(map(float, numbers))


def _numbers(value: Valuation, view: LineView, i: int, b: int, o: int) -> tuple[float, ...]:
    return (
        float(view.price[i, b, o]),
        float(value.fair[i, o]),
        float(value.edge[i, b, o]),
        float(value.expected_value[i, b, o]),
        float(value.kelly_fraction[i, b, o]),
        float(value.confidence[i, b, o]),
        float(value.method_spread[i, o]),
        float(value.books[i]),
    )


class Recomputation:
    """The alerts and the counts of a tape."""

    def __init__(self, rules: ScoringRules, weight_of: Callable[[str], float] = lambda _: 1.0) -> None:
        self.rules = rules
        self.weight_of = weight_of
        self.records: list[Record] = []
        self.suppressed: Counter[str] = Counter()
        self._open: dict[Key, tuple[float | None, ...]] = {}
        self._withheld: dict[Key, Verdict] = {}

    def run(self, payloads: Iterable[tuple[datetime, bytes]]) -> Recomputation:
        """Fold the verdicts of all payloads, in order of time, into the life of alerts."""
        for at, payload in payloads:
            found = {key: (v, numbers) for key, v, numbers in verdicts(payload, at, self.rules, self.weight_of)}
            self._close(found, at)
            for key, (verdict, numbers) in found.items():
                self._see(key, verdict, numbers, at)
            self._withheld = {k: v for k, (v, _) in found.items() if v > Verdict.OPEN}
        return self

    def _close(self, found: dict[Key, tuple[Verdict, tuple[float | None, ...]]], at: datetime) -> None:
        for key in [k for k in self._open if found.get(k, (Verdict.NOTHING,))[0] != Verdict.OPEN]:
            numbers = self._open.pop(key)
            self.records.append(Record(key, "closed", None, at, numbers))
            self._withheld[key] = found.get(key, (Verdict.NOTHING,))[0]

    def _see(self, key: Key, verdict: Verdict, numbers: tuple[float | None, ...], at: datetime) -> None:
        if verdict > Verdict.OPEN:
            self.suppressed[verdict.reason] += self._withheld.get(key) != verdict
        elif key not in self._open:
            self._open[key] = numbers
            self.records.append(Record(key, "opened", None, at, numbers))
        elif self._moved(key, self._open[key], numbers):
            self._open[key] = numbers
            self.records.append(Record(key, "updated", None, at, numbers))

    def _moved(self, key: Key, last: tuple[float | None, ...], now: tuple[float | None, ...]) -> bool:
        if key.kind == "arbitrage":
            return last[1:3] != now[1:3]
        price, fair = last[0] != now[0], abs((last[1] or 0) - (now[1] or 0)) >= self.rules.update_probability
        return price or fair
