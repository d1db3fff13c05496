"""Lay out the quotes on offer by book, with the scorer's fair prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.reference.book_profiles import book_profile
from ml.arbitrage import net_price
from ml.arrays import find_runs
from ml.market import edge, probability_standard_error
from ml.quotes import MARKET_OUTCOMES, MICROS_PER_SECOND, UNKNOWN_TIME, Market, Outcome
from ml.scoring.books import BookProfiles
from ml.scoring.confirmations import is_fresh, staleness_buckets
from ml.scoring.lines import LineKey, selection_point
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.scorer import OUTCOME_COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.store.lookups import ListedEvent, StoredBook
    from ml.quotes import EventStarts, MarketConfirmations, Micros, QuoteBatch
    from ml.scoring.fair_prices import FairPriceBatch
    from ml.scoring.matrix import LineView
    from ml.scoring.rules import ScoringRules

_MARKET_ORDER = list(MARKET_OUTCOMES)


@dataclass(frozen=True, slots=True)
class OfferedQuotes:
    """What a sport offers at `now`: quotes, confirmations and starts as of the latest poll."""

    quotes: QuoteBatch
    times: MarketConfirmations
    starts: EventStarts
    now: Micros

    def for_event(self, event: int) -> OfferedQuotes:
        """The part of one event."""
        return OfferedQuotes(
            self.quotes.take(self.quotes.event == event),
            self.times.take(self.times.event == event),
            self.starts.take(self.starts.event == event),
            self.now,
        )


@dataclass(frozen=True, slots=True)
class DisplayNames:
    """Books and events by id."""

    books: Mapping[int, StoredBook]
    events: Mapping[int, ListedEvent]

    def selection_name(self, event: int, outcome: Outcome) -> str:
        """The display name of an outcome."""
        teams = self.events[event]
        team_names = {Outcome.HOME: teams.home_team, Outcome.AWAY: teams.away_team}
        return team_names.get(outcome) or outcome.key.title()


def render_events(
    sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules, fair: FairPriceBatch
) -> list[dict[str, Any]]:
    """Events by start, each with its lines (`serving.api.models.EventLines`).

    `fair` are the scorer's fair prices; lines that it does not price have none.
    """
    lines: dict[int, list[dict[str, Any]]] = {}
    for key, line in sorted(_line_rows(sport, offered, names, rules, fair), key=lambda pair: _sort_key(pair[0])):
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
class OfferedLines:
    """The lines `keys`, all with the same number of outcomes, their prices, and the books of the columns."""

    keys: list[LineKey]
    lines: LineView
    book_names: list[StoredBook]
    books: BookProfiles


def group_lines(sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules) -> Iterator[OfferedLines]:
    """All lines on offer, two-way and three-way separately."""
    matrix = LineMatrix(rules.method)
    matrix.apply_starts(offered.starts)
    matrix.apply_quotes(offered.quotes, 0)
    matrix.apply_confirmations(offered.times, offered.now)
    book_names = [names.books[b] for b in matrix.book_ids.tolist()]
    profiles = {book.id: book_profile(book.key, {}, sport) for book in book_names}
    books = BookProfiles.from_profiles(profiles, profiles.__getitem__)
    for n in OUTCOME_COUNTS:
        rows = np.flatnonzero(matrix.outcome_count[: len(matrix)] == n)
        keys = [key for row in rows.tolist() if (key := matrix.line_by_row[row]) is not None]
        if keys:
            yield OfferedLines(keys, view_lines(matrix, rows, n), book_names, books)


def _line_rows(
    sport: str, offered: OfferedQuotes, names: DisplayNames, rules: ScoringRules, fair: FairPriceBatch
) -> Iterator[tuple[LineKey, dict[str, Any]]]:
    fair_by_line = index_fair_prices(fair)
    for group in group_lines(sport, offered, names, rules):
        price = net_price(group.lines.price, group.books.commission)
        confirmed_at = group.lines.confirmed_at
        age = np.where(
            confirmed_at == UNKNOWN_TIME,
            np.nan,
            np.maximum(offered.now - np.maximum(confirmed_at, 0), 0) / MICROS_PER_SECOND,
        )
        stale = ~is_fresh(staleness_buckets(confirmed_at, offered.now, rules))
        for i, key in enumerate(group.keys):
            found = fair_by_line.get(key, UNKNOWN_FAIR[len(price)])
            edges = edge(found.probability[:, None], price[:, i])
            columns = (group.lines.price[:, i].T, edges.T, age[i], stale[i])
            yield key, _format_line(key, names, _LineRow(group.book_names, *columns, found))


class FairLine(NamedTuple):
    """A line's fair `probability` and its standard error (n,), and the number of sources in the consensus."""

    probability: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    sources: int


UNKNOWN_FAIR = {n: FairLine(np.full(n, np.nan), np.full(n, np.nan), 0) for n in OUTCOME_COUNTS}


def index_fair_prices(fair: FairPriceBatch) -> dict[LineKey, FairLine]:
    """The fair prices by line; the rows of a line are adjacent, in matrix order."""
    errors = probability_standard_error(fair.probability, fair.log_odds_error)
    first, length = find_runs(fair.event, fair.market, fair.point)
    columns = (fair.event[first], fair.market[first], fair.point[first], fair.sources[first], first, length)
    return {
        LineKey(event, market, point): FairLine(fair.probability[at : at + n], errors[at : at + n], sources)
        for event, market, point, sources, at, n in zip(*(c.tolist() for c in columns), strict=True)
    }


@dataclass(frozen=True, slots=True)
class _LineRow:
    """One line: `price` and `edge` (B, n), `age` and `stale` (B,)."""

    books: list[StoredBook]
    price: Any
    edge: Any
    age: Any
    stale: Any
    fair: FairLine


def _format_line(key: LineKey, names: DisplayNames, row: _LineRow) -> dict[str, Any]:
    market = Market(key.market)
    return {
        "market": market.key,
        "point": selection_point(key, 0),
        "books": row.fair.sources,
        "outcomes": [
            {
                "outcome": outcome.key,
                "selection": names.selection_name(key.event, outcome),
                "point": selection_point(key, column),
                "fair_probability": _finite_or_none(row.fair.probability[column]),
                "fair_price": _finite_or_none(1 / row.fair.probability[column]),
                "standard_error": _finite_or_none(row.fair.standard_error[column]),
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
