"""From the quotes on offer to prices by book, with fair probabilities by the scorer's own mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.traits import traits
from ml.market import edge, probability_error
from ml.points import point_models
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market, Outcome
from ml.scoring.ages import SECOND, age_steps, young_steps
from ml.scoring.books import Books
from ml.scoring.lines import selection_point
from ml.scoring.matrix import LineMatrix
from ml.scoring.scorer import WIDTHS
from ml.scoring.valuation import value_lines
from ml.scoring.view import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge_assets.store.board import BookName, EventName
    from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch
    from ml.scoring.lines import LineKey
    from ml.scoring.rules import ScoringRules
    from ml.scoring.valuation import Valuation

_MARKET_ORDER = list(OUTCOMES_OF)


@dataclass(frozen=True, slots=True)
class Offer:
    """All that is on offer in a sport at `now`: quotes, confirmations and starts after the latest poll."""

    quotes: QuoteBatch
    times: MarketTimes
    starts: EventStarts
    now: Micros

    def only(self, event: int) -> Offer:
        """The part that concerns one event."""
        return Offer(
            self.quotes.take(self.quotes.event == event),
            self.times.take(self.times.event == event),
            self.starts.take(self.starts.event == event),
            self.now,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """What ids mean."""

    books: Mapping[int, BookName]
    events: Mapping[int, EventName]

    def selection(self, event: int, outcome: Outcome) -> str:
        """An outcome as people call it."""
        teams = self.events[event]
        named = {Outcome.HOME: teams.home_team, Outcome.AWAY: teams.away_team}
        return named.get(outcome) or outcome.key.title()


def price_events(
    sport: str, offer: Offer, names: Names, rules: ScoringRules, weights: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Events in order of their start, each with its lines (`serving.api.models.EventOdds`).

    `weights` overrides the weights of single books in the consensus, by their keys.
    """
    lines: dict[int, list[dict[str, Any]]] = {}
    for key, line in sorted(_lines(sport, offer, names, rules, weights), key=lambda pair: _order(pair[0])):
        lines.setdefault(key.event, []).append(line)
    listed = sorted((names.events[event] for event in lines), key=lambda e: (e.commence_at, e.id))
    return [
        {
            "event_id": e.id,
            "event": e.key,
            "home_team": e.home_team,
            "away_team": e.away_team,
            "commence_at": e.commence_at,
            "lines": lines[e.id],
        }
        for e in listed
    ]


def _order(key: LineKey) -> tuple[int, int, float]:
    return key.event, _MARKET_ORDER.index(Market(key.market)), key.point


@dataclass(frozen=True, slots=True)
class Valued:
    """The valuation of the lines `keys` with one number of outcomes, and the books of its columns."""

    keys: list[LineKey | None]
    value: Valuation
    named: list[BookName]
    books: Books


def valuations(
    sport: str, offer: Offer, names: Names, rules: ScoringRules, weights: Mapping[str, float]
) -> Iterator[Valued]:
    """All lines on offer as the scorer values them, two-way ones and three-way ones apart."""
    matrix = LineMatrix(rules.method)
    matrix.apply_starts(offer.starts)
    matrix.apply_quotes(offer.quotes, 0)
    matrix.apply_times(offer.times, offer.now)
    named = [names.books[b] for b in matrix.book_ids.tolist()]
    known = {book.id: traits(book.key, weights, sport) for book in named}
    books = Books.of(known, known.__getitem__)
    for n in WIDTHS:
        rows = np.flatnonzero(matrix.width[: len(matrix)] == n)
        if rows.size:
            value = value_lines(view_of(matrix, rows, n), books, point_models(sport), offer.now, rules)
            yield Valued([matrix.keys[row] for row in rows.tolist()], value, named, books)


def _lines(
    sport: str, offer: Offer, names: Names, rules: ScoringRules, weights: Mapping[str, float]
) -> Iterator[tuple[LineKey, dict[str, Any]]]:
    for valued in valuations(sport, offer, names, rules, weights):
        value = valued.value
        errors = probability_error(value.market.probability, value.market.error)
        gap = edge(value.market.probability[..., None], value.price)
        told = value.lines.book_time
        age = np.where(told == UNKNOWN_TIME, np.nan, np.maximum(offer.now - np.maximum(told, 0), 0) / SECOND)
        stale = ~young_steps(age_steps(told, offer.now, rules))
        for i, key in enumerate(valued.keys):
            if key is not None:
                columns = (value.lines.price[:, i].T, gap[:, i].T, age[i], stale[i])
                fair, error = value.market.probability[:, i], errors[:, i]
                yield key, _line(key, names, _Row(valued.named, *columns, fair, error, int(value.market.books[i])))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: `price` and `edge` (B, n), `age` and `stale` (B,), `fair` and its standard `error` (n,)."""

    books: list[BookName]
    price: Any
    edge: Any
    age: Any
    stale: Any
    fair: Any
    error: Any
    pooled: int


def _line(key: LineKey, names: Names, row: _Row) -> dict[str, Any]:
    market = Market(key.market)
    return {
        "market": market.key,
        "point": selection_point(key, 0),
        "books": row.pooled,
        "outcomes": [
            {
                "outcome": outcome.key,
                "selection": names.selection(key.event, outcome),
                "point": selection_point(key, column),
                "fair_probability": _known(row.fair[column]),
                "fair_price": _known(1 / row.fair[column]),
                "standard_error": _known(row.error[column]),
                "prices": _prices(row, column),
            }
            for column, outcome in enumerate(OUTCOMES_OF[market])
        ],
    }


def _prices(row: _Row, column: int) -> list[dict[str, Any]]:
    offered = np.flatnonzero(~np.isnan(row.price[:, column]))
    best_first = offered[np.argsort(-row.price[offered, column], kind="stable")]
    return [
        {
            "book": row.books[b].key,
            "book_title": row.books[b].title,
            "price": float(row.price[b, column]),
            "edge": _known(row.edge[b, column]),
            "age_s": _known(row.age[b]),
            "stale": bool(row.stale[b]),
        }
        for b in best_first.tolist()
    ]


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
