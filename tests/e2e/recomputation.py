"""The alerts of a recording, computed the slow and simple way: every payload in full, without state.

Shares the valuation of `ml.scoring.valuation` with the running system and nothing else: no differ, no
database, no stream, no matrix, no dirty rows. Uses names instead of ids.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.core.clock import to_micros
from ml.market import devig, to_log_odds
from ml.quotes import UNKNOWN_TIME, Market
from ml.scoring.alert_metrics import compute_metrics
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.matrix import LineView
from ml.scoring.rules import ScoringRules, Verdict
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ml.points import PointModel
    from ml.scoring.arbitrages import Arbitrages
    from ml.scoring.valuation import Valuation

    LineName = tuple[str, str, float | None]

VALUE_NUMBERS = (
    "price",
    "fair_probability",
    "edge",
    "standard_error",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "probability_positive",
    "push_probability",
    "kelly_fraction",
    "stake_fraction",
    "confidence",
    "method_spread",
    "market_width",
    "hold",
    "error_probability",
    "books",
)
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
    """One step of an alert, as published."""

    key: Key
    state: str
    reason: str | None
    observed_at: datetime
    numbers: tuple[float | None, ...]


@dataclass
class PayloadLine:
    """One line of one payload: prices by book and outcome name."""

    start: datetime
    quotes: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    times: dict[str, datetime] = field(default_factory=dict)


def to_decimal(american: float) -> float:
    """Decimal odds of American ones."""
    return 1 + american / 100 if american > 0 else 1 - 100 / american


def parse_lines(payload: bytes) -> dict[tuple[str, str, float | None], PayloadLine]:
    """All lines of a payload by (event, market, home point or total)."""
    lines: dict[tuple[str, str, float | None], PayloadLine] = {}
    for event in json.loads(payload):
        names = {event["home_team"]: "home", event["away_team"]: "away", "Over": "over", "Under": "under"}
        start = datetime.fromisoformat(event["commence_time"])
        for book, market, outcome in _outcomes(event):
            name = names[outcome["name"]]
            point = outcome.get("point")
            if market["key"] == "spreads" and name == "away":
                point = -outcome["point"]
            line = lines.setdefault((event["id"], market["key"], point), PayloadLine(start))
            line.quotes[book["key"]][name] = to_decimal(outcome["price"])
            line.times[book["key"]] = datetime.fromisoformat(market.get("last_update") or book["last_update"])
    return lines


def _outcomes(event: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    for book in event["bookmakers"]:
        for market in book["markets"]:
            for outcome in market["outcomes"]:
                yield book, market, outcome


def build_view(lines: dict[LineName, PayloadLine], books: list[str], rules: ScoringRules) -> LineView:
    """All lines of a payload, in the form that the valuation takes."""
    price = np.full((len(lines), len(books), 2), np.nan)
    times = np.full(price.shape[:2], UNKNOWN_TIME, np.int64)
    ladders: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    for (event, market, _), line in lines.items():
        ladders[event, market] |= line.times
    for i, ((event, market, _), line) in enumerate(lines.items()):
        for book, quotes in line.quotes.items():
            price[i, books.index(book)] = [quotes.get(name, np.nan) for name in ORDER[market]]
        # a book confirms a market, whatever the points
        for book, at in ladders[event, market].items():
            times[i, books.index(book)] = to_micros(at)
    return LineView(
        price=np.moveaxis(price, 2, 0),
        fair_log_odds=to_log_odds(devig(price, rules.method)),
        booksum=(1 / price).sum(axis=2),
        confirmed_at=times,
        commence_at=np.array([to_micros(line.start) for line in lines.values()]),
        market=np.array([Market[market.upper()] for _, market, _ in lines]),
        point=np.array([0.0 if point is None else point for *_, point in lines]),
        ladder=np.array([list(ladders).index(name[:2]) for name in lines]),
    )


def find_verdicts(
    payload: bytes, at: datetime, scene: Scene
) -> Iterator[tuple[Key, Verdict, tuple[float | None, ...]]]:
    """The verdict on every price and every line's arbitrage that is a candidate."""
    lines = parse_lines(payload)
    keys = list(lines)
    names = sorted({book for line in lines.values() for book in line.quotes})
    books = BookProfiles.from_profiles(range(len(names)), lambda i: scene.profile_of(names[i]))
    value = value_lines(
        build_view(lines, names, scene.rules),
        books,
        ConsensusProvider(scene.models),
        to_micros(at),
        scene.rules,
        EdgeThreshold(scene.rules.threshold_edge),
    )
    numbers = _numbers(value, scene, to_micros(at))
    for o, i, b in np.argwhere(value.verdict != Verdict.NO_CANDIDATE).tolist():
        event, market, point = keys[i]
        name = ORDER[market][o]
        own = 0.0 - point if market == "spreads" and name == "away" and point is not None else point
        verdict = Verdict(value.verdict[o, i, b])
        kind = "likely_error" if verdict is Verdict.OUTLIER else "value"
        yield Key(kind, event, market, own, name, names[b]), verdict, numbers.get((o, i, b), ())
    for i in np.flatnonzero(value.arbitrages.verdict).tolist():
        verdict = Verdict(value.arbitrages.verdict[i])
        yield (
            Key("arbitrage", *keys[i]),
            verdict,
            _arbitrage_numbers(value.arbitrages, i) if verdict is Verdict.OPEN else (),
        )


def _numbers(value: Valuation, scene: Scene, now: int) -> dict[tuple[int, int, int], tuple[float, ...]]:
    """The metrics of alertable prices, by outcome, line and book."""
    metrics = compute_metrics(
        value, slice(None), scene.models, now, scene.rules, EdgeThreshold(scene.rules.threshold_edge)
    )
    columns = zip(*(getattr(metrics, name).tolist() for name in VALUE_NUMBERS), strict=True)
    return dict(zip(zip(*(c.tolist() for c in value.alertable), strict=True), columns, strict=True))


def _arbitrage_numbers(arbitrages: Arbitrages, line: int) -> tuple[float, ...]:
    [index] = np.flatnonzero(arbitrages.rows == line)
    best = arbitrages.best
    return tuple(map(float, (best.guaranteed_return[index], *best.price[index], *best.stake_fraction[index])))


@dataclass(frozen=True)
class Scene:
    """The scorer's inputs other than prices; books by name."""

    rules: ScoringRules
    profile_of: Callable[[str], BookProfile] = lambda _: BookProfile()
    models: Mapping[Market, PointModel] = field(default_factory=dict)


class Recomputation:
    """The alerts and counts of a recording."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.records: list[Record] = []
        self.suppressed: Counter[str] = Counter()
        self._open: dict[Key, tuple[float | None, ...]] = {}
        self._suppressed: dict[Key, Verdict] = {}

    def run(self, payloads: Iterable[tuple[datetime, bytes]]) -> Recomputation:
        """Turn the verdicts of all payloads, in order of time, into steps of alerts."""
        for at, payload in payloads:
            found = {key: (v, numbers) for key, v, numbers in find_verdicts(payload, at, self.scene)}
            self._close(found, at)
            for key, (verdict, numbers) in found.items():
                self._see(key, verdict, numbers, at)
            self._suppressed = {_price_key(k): v for k, (v, _) in found.items() if v > Verdict.OPEN}
        return self

    def _close(self, found: dict[Key, tuple[Verdict, tuple[float | None, ...]]], at: datetime) -> None:
        now = {_price_key(key): verdict for key, (verdict, _) in found.items()}
        for key in [k for k in self._open if not (k in found and is_alerted(*found[k]))]:
            numbers = self._open.pop(key)
            self.records.append(Record(key, "closed", None, at, numbers))
            if key.kind != "likely_error":
                self._suppressed[_price_key(key)] = now.get(_price_key(key), Verdict.NO_CANDIDATE)

    def _see(self, key: Key, verdict: Verdict, numbers: tuple[float | None, ...], at: datetime) -> None:
        if verdict > Verdict.OPEN:
            self.suppressed[verdict.reason] += self._suppressed.get(_price_key(key)) != verdict
        if not is_alerted(verdict, numbers):
            return
        if key not in self._open:
            self._open[key] = numbers
            self.records.append(Record(key, "opened", None, at, numbers))
        elif self._has_moved(key, self._open[key], numbers):
            self._open[key] = numbers
            self.records.append(Record(key, "updated", None, at, numbers))

    def _has_moved(self, key: Key, last: tuple[float | None, ...], now: tuple[float | None, ...]) -> bool:
        if key.kind == "arbitrage":
            return last[1:3] != now[1:3]
        price, fair = last[0] != now[0], abs((last[1] or 0) - (now[1] or 0)) >= self.scene.rules.min_probability_change
        return price or fair


def is_alerted(verdict: Verdict, numbers: tuple[float | None, ...]) -> bool:
    """Whether a verdict is alerted: value, arbitrages and likely errors."""
    return verdict == Verdict.OPEN or (verdict == Verdict.OUTLIER and bool(numbers))


def _price_key(key: Key) -> Key:
    """The price of an alert, the same whether it is alerted as value or as an error."""
    return key._replace(kind="arbitrage" if key.kind == "arbitrage" else "value")
