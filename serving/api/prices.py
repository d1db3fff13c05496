"""From the quotes on offer to prices by book, with fair probabilities by the scorer's own mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.reference.book_profiles import book_profile
from ml.market import edge, probability_standard_error
from ml.points import point_models_for
from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, Market, Outcome
from ml.scoring.books import BookProfiles
from ml.scoring.confirmations import MICROS_PER_SECOND, is_fresh, staleness_buckets
from ml.scoring.lines import selection_point
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.scorer import OUTCOME_COUNTS
from ml.scoring.valuation import value_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge_assets.store.lookups import BookInfo, EventInfo
    from ml.quotes import EventStarts, MarketConfirmations, Micros, QuoteBatch
    from ml.scoring.lines import LineKey
    from ml.scoring.rules import ScoringRules
    from ml.scoring.valuation import Valuation

_MARKET_ORDER = list(MARKET_OUTCOMES)


@dataclass(frozen=True, slots=True)
class OfferedQuotes:
    """All that is on offer in a sport at `now`: quotes, confirmations and starts after the latest poll."""

    quotes: QuoteBatch
    times: MarketConfirmations
    starts: EventStarts
    now: Micros

    def for_event(self, event: int) -> OfferedQuotes:
        """The part that concerns one event."""
        return OfferedQuotes(
            self.quotes.take(self.quotes.event == event),
            self.times.take(self.times.event == event),
            self.starts.take(self.starts.event == event),
            self.now,
        )


@dataclass(frozen=True, slots=True)
class DisplayNames:
    """What ids mean."""

    books: Mapping[int, BookInfo]
    events: Mapping[int, EventInfo]

    def selection_name(self, event: int, outcome: Outcome) -> str:
        """An outcome as people call it."""
        teams = self.events[event]
        team_names = {Outcome.HOME: teams.home_team, Outcome.AWAY: teams.away_team}
        return team_names.get(outcome) or outcome.key.title()


def price_events(
    sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules, weights: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Events in order of their start, each with its lines (`serving.api.models.EventOdds`).

    `weights` overrides the weights of single books in the consensus, by their keys.
    """
    lines: dict[int, list[dict[str, Any]]] = {}
    for key, line in sorted(_line_rows(sport, offered, names, rules, weights), key=lambda pair: _sort_key(pair[0])):
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


def _sort_key(key: LineKey) -> tuple[int, int, float]:
    return key.event, _MARKET_ORDER.index(Market(key.market)), key.point


@dataclass(frozen=True, slots=True)
class ValuedLines:
    """The valuation of the lines `keys` with one number of outcomes, and the books of its columns."""

    keys: list[LineKey | None]
    valuation: Valuation
    book_names: list[BookInfo]
    books: BookProfiles


def value_offered(
    sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules, weights: Mapping[str, float]
) -> Iterator[ValuedLines]:
    """All lines on offer as the scorer values them, two-way ones and three-way ones apart."""
    matrix = LineMatrix(rules.method)
    matrix.apply_starts(offered.starts)
    matrix.apply_quotes(offered.quotes, 0)
    matrix.apply_confirmations(offered.times, offered.now)
    book_names = [names.books[b] for b in matrix.book_ids.tolist()]
    profiles = {book.id: book_profile(book.key, weights, sport) for book in book_names}
    books = BookProfiles.from_profiles(profiles, profiles.__getitem__)
    for n in OUTCOME_COUNTS:
        rows = np.flatnonzero(matrix.outcome_count[: len(matrix)] == n)
        if rows.size:
            valuation = value_lines(view_lines(matrix, rows, n), books, point_models_for(sport), offered.now, rules)
            yield ValuedLines([matrix.line_by_row[row] for row in rows.tolist()], valuation, book_names, books)


def _line_rows(
    sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules, weights: Mapping[str, float]
) -> Iterator[tuple[LineKey, dict[str, Any]]]:
    for valued in value_offered(sport, offered, names, rules, weights):
        valuation = valued.valuation
        errors = probability_standard_error(valuation.consensus.probability, valuation.consensus.log_odds_error)
        edges = edge(valuation.consensus.probability[..., None], valuation.price)
        confirmed_at = valuation.lines.confirmed_at
        age = np.where(
            confirmed_at == UNKNOWN_TIME,
            np.nan,
            np.maximum(offered.now - np.maximum(confirmed_at, 0), 0) / MICROS_PER_SECOND,
        )
        stale = ~is_fresh(staleness_buckets(confirmed_at, offered.now, rules))
        for i, key in enumerate(valued.keys):
            if key is not None:
                columns = (valuation.lines.price[:, i].T, edges[:, i].T, age[i], stale[i])
                fair, error = valuation.consensus.probability[:, i], errors[:, i]
                yield (
                    key,
                    _format_line(
                        key,
                        names,
                        _LineRow(valued.book_names, *columns, fair, error, int(valuation.consensus.books[i])),
                    ),
                )


@dataclass(frozen=True, slots=True)
class _LineRow:
    """One line: `price` and `edge` (B, n), `age` and `stale` (B,), `fair` and its standard `error` (n,)."""

    books: list[BookInfo]
    price: Any
    edge: Any
    age: Any
    stale: Any
    fair: Any
    error: Any
    pooled_books: int


def _format_line(key: LineKey, names: DisplayNames, row: _LineRow) -> dict[str, Any]:
    market = Market(key.market)
    return {
        "market": market.key,
        "point": selection_point(key, 0),
        "books": row.pooled_books,
        "outcomes": [
            {
                "outcome": outcome.key,
                "selection": names.selection_name(key.event, outcome),
                "point": selection_point(key, column),
                "fair_probability": _finite_or_none(row.fair[column]),
                "fair_price": _finite_or_none(1 / row.fair[column]),
                "standard_error": _finite_or_none(row.error[column]),
                "prices": _price_rows(row, column),
            }
            for column, outcome in enumerate(MARKET_OUTCOMES[market])
        ],
    }


def _price_rows(row: _LineRow, column: int) -> list[dict[str, Any]]:
    offered = np.flatnonzero(~np.isnan(row.price[:, column]))
    best_first = offered[np.argsort(-row.price[offered, column], kind="stable")]
    return [
        {
            "book": row.books[b].key,
            "book_title": row.books[b].title,
            "price": float(row.price[b, column]),
            "edge": _finite_or_none(row.edge[b, column]),
            "age_s": _finite_or_none(row.age[b]),
            "stale": bool(row.stale[b]),
        }
        for b in best_first.tolist()
    ]


def _finite_or_none(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
