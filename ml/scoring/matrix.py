"""The book x selection matrix of one sport: every line's current prices, with ages and starts.

A *line* is a market of an event at one point: its outcomes exhaust what can happen (but for a push), so
it can be de-vigged and arbitraged. Spreads are keyed by the home side's point: home -3.5 and away +3.5
are the two outcomes of one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch

WIDEST = max(len(o) for o in OUTCOMES_OF.values())
_NO_COLUMN = -1
_COLUMN = np.full((max(Market) + 1, max(Outcome) + 1), _NO_COLUMN, np.int8)
for _market, _outcomes in OUTCOMES_OF.items():
    _COLUMN[_market, _outcomes] = range(len(_outcomes))
_WIDTH = {int(m): len(outcomes) for m, outcomes in OUTCOMES_OF.items()}
NO_START: Micros = np.iinfo(np.int64).max


class LineKey(NamedTuple):
    """Identity of a line; `point` is the home side's (or the total), 0 where the market has none."""

    event: int
    market: int
    point: float


def selection_point(key: LineKey, column: int) -> float | None:
    """The point as the book writes it beside outcome number `column` of the line."""
    if key.market == Market.SPREADS:
        return key.point if OUTCOMES_OF[Market.SPREADS][column] is Outcome.HOME else 0.0 - key.point
    return key.point if key.market == Market.TOTALS else None


class LineMatrix:
    """Prices by line, book and outcome; rows are recycled when a line is no longer offered by anybody.

    Arrays (capacity L lines, B books, `WIDEST` outcomes): `price` (L, B, 3) with NaN where nothing is
    offered, `poll` (L, B, 3) the poll that brought the price, `key` and `width` by line.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int, float], int] = {}
        self.keys: list[LineKey | None] = []
        self.books: dict[int, int] = {}
        self.book_ids: list[int] = []
        self.price = np.full((64, 16, WIDEST), np.nan)
        self.poll = np.zeros((64, 16, WIDEST), np.int64)
        self.width = np.zeros(64, np.int8)
        self.start = np.full(64, NO_START, np.int64)
        self._pair_of_row = np.zeros(64, np.intp)
        self._pairs: dict[tuple[int, int], int] = {}
        self._times = np.full((64, 16), UNKNOWN_TIME, np.int64)
        self._starts: dict[int, Micros] = {}
        self._rows_of_event: dict[int, set[int]] = {}
        self._free: list[int] = []
        self._free_pairs: list[int] = []

    def __len__(self) -> int:
        """Rows in use or free for recycling; arrays are meaningful up to here."""
        return len(self.keys)

    def apply_quotes(self, quotes: QuoteBatch, polls: int | NDArray[np.int64]) -> set[int]:
        """Write changed prices; return the rows touched. Markets that are not valued are passed over."""
        column = _columns(quotes)
        valued = column != _NO_COLUMN
        quotes, column = quotes.take(valued), column[valued]
        lines = zip(quotes.event.tolist(), quotes.market.tolist(), _line_points(quotes).tolist(), strict=True)
        rows = [self._row(line) for line in lines]
        books, book_inverse = np.unique(quotes.book, return_inverse=True)
        columns = np.array([self._book(book) for book in books.tolist()], np.intp)
        cells = np.array(rows, np.intp), columns[book_inverse], column
        self.price[cells] = quotes.price
        self.poll[cells] = polls if isinstance(polls, int) else polls[valued]
        return set(rows)

    def apply_times(self, times: MarketTimes) -> None:
        """Take over when each book last confirmed each market."""
        pairs = (times.event.astype(np.int64) << 16) | times.market
        distinct, inverse = np.unique(pairs, return_inverse=True)
        rows = np.array([self._pair(int(p >> 16), int(p & 0xFFFF)) for p in distinct], np.intp)
        books, book_inverse = np.unique(times.book, return_inverse=True)
        columns = np.array([self._book(int(b)) for b in books], np.intp)
        if len(times):
            self._times[rows[inverse], columns[book_inverse]] = times.book_time

    def apply_starts(self, starts: EventStarts) -> None:
        """Take over the events' start times."""
        for event, at in zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True):
            if self._starts.get(event) != at:
                self._starts[event] = at
                self.start[list(self._rows_of_event.get(event, ()))] = at

    def book_times(self, rows: NDArray[Any] | slice) -> NDArray[np.int64]:
        """When each book last confirmed the market of each of `rows`: (rows, B)."""
        return self._times[self._pair_of_row[rows]]

    def release_empty(self, rows: Iterable[int]) -> None:
        """Recycle those of `rows` that nobody offers any more."""
        some = np.fromiter(rows, np.intp)
        for row in some[np.isnan(self.price[some]).all(axis=(1, 2))].tolist():
            key = self.keys[row]
            if key is not None:
                del self.rows[key]
                self.keys[row] = None
                self.width[row] = 0
                self._rows_of_event[key.event].discard(row)
                self._free.append(row)

    def forget_events(self, listed: NDArray[np.int32]) -> None:
        """Drop what is remembered of events that are neither listed nor offered any more."""
        gone = self._starts.keys() - set(listed.tolist())
        quiet = {event for event in gone if not self._rows_of_event.get(event)}
        for event in quiet:
            del self._starts[event]
            self._rows_of_event.pop(event, None)
        if quiet:
            for pair in [p for p in self._pairs if p[0] in quiet]:
                index = self._pairs.pop(pair)
                self._times[index] = UNKNOWN_TIME
                self._free_pairs.append(index)

    def _row(self, line: tuple[int, int, float]) -> int:
        row = self.rows.get(line)
        if row is None:
            key = LineKey(*line)
            row = self._free.pop() if self._free else self._append()
            self.rows[key], self.keys[row] = row, key
            self.width[row] = _WIDTH[key.market]
            self.start[row] = self._starts.get(key.event, NO_START)
            self._pair_of_row[row] = self._pair(key.event, key.market)
            self._rows_of_event.setdefault(key.event, set()).add(row)
        return row

    def _append(self) -> int:
        self.keys.append(None)
        if len(self.keys) > len(self.price):
            self.price, self.poll = _grown(self.price, np.nan), _grown(self.poll, 0)
            self.width, self.start = _grown(self.width, 0), _grown(self.start, NO_START)
            self._pair_of_row = _grown(self._pair_of_row, 0)
        return len(self.keys) - 1

    def _pair(self, event: int, market: int) -> int:
        pair = self._pairs.get((event, market))
        if pair is None:
            pair = self._free_pairs.pop() if self._free_pairs else len(self._pairs)
            self._pairs[event, market] = pair
            if pair >= len(self._times):
                self._times = _grown(self._times, UNKNOWN_TIME)
        return pair

    def _book(self, book: int) -> int:
        column = self.books.get(book)
        if column is None:
            column = self.books[book] = len(self.book_ids)
            self.book_ids.append(book)
            if column >= self.price.shape[1]:
                self.price, self.poll = _grown(self.price, np.nan, 1), _grown(self.poll, 0, 1)
                self._times = _grown(self._times, UNKNOWN_TIME, 1)
        return column


def line_key(event: int, market: int, outcome: int | None, point: float | None) -> LineKey:
    """The line that a quote belongs to; `point` as the book writes it, None or NaN where there is none."""
    if point is None or point != point:  # noqa: PLR0124 - NaN: the market has no point
        return LineKey(event, market, 0.0)
    away = market == Market.SPREADS and outcome == Outcome.AWAY
    return LineKey(event, market, 0.0 - point if away else 0.0 + point)


def _columns(quotes: QuoteBatch) -> NDArray[np.int8]:
    """The column of each quote's outcome in its line, `_NO_COLUMN` where its market is not valued."""
    known = (quotes.market < _COLUMN.shape[0]) & (quotes.outcome < _COLUMN.shape[1])
    return np.where(known, _COLUMN[np.where(known, quotes.market, 0), np.where(known, quotes.outcome, 0)], _NO_COLUMN)


def _line_points(quotes: QuoteBatch) -> NDArray[np.float64]:
    """`line_key(...).point` of each quote."""
    point = np.where(np.isnan(quotes.point), 0.0, quotes.point.astype(np.float64))
    away = (quotes.market == Market.SPREADS) & (quotes.outcome == Outcome.AWAY)
    return np.where(away, 0.0 - point, 0.0 + point)


def _grown(array: NDArray[Any], fill: float, axis: int = 0) -> NDArray[Any]:
    return np.concatenate([array, np.full_like(array, fill)], axis=axis)
