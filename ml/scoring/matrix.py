"""The book x selection matrix of one sport, and views of the lines to value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.arrays import double_capacity, find_runs
from ml.market import DevigMethod, devig, to_log_odds
from ml.market.methods import booksum
from ml.quotes import Market
from ml.scoring.confirmations import ConfirmationTimes
from ml.scoring.lines import MAX_OUTCOMES, NOT_VALUED, OUTCOME_COUNT_BY_MARKET, LineKey, line_points, outcome_columns
from ml.scoring.rows import BookColumns, LineRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import EventStarts, MarketConfirmations, Micros, QuoteBatch

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

NO_START: Micros = np.iinfo(np.int64).max
_POINT_BITS = 32
"""A line's code has its ladder in the high bits and its point in the low ones."""


class LineMatrix:
    """Prices by outcome, line and book; the row of a line is recycled once no book offers it.

    Arrays (capacity L lines, B books in order of their ids, `MAX_OUTCOMES` outcomes): `price` (3, L, B), NaN where
    nothing is offered; `poll_id` (3, L, B), the poll that brought the price; `fair_log_odds` (3, L, B), the book's fair
    log-odds by `method`, NaN where its prices are incomplete; `booksum` (L, B), the sum of its implied probabilities;
    `market`, `point`, `outcome_count`, `commence_at` and `ladder` (L,). `row_by_line` and `line_by_row` map lines
    to rows and back.
    """

    def __init__(self, method: DevigMethod = DevigMethod.POWER) -> None:
        self.method = method
        self._lines = LineRows()
        self.row_by_line, self.line_by_row = self._lines.row_by_line, self._lines.line_by_row
        self.price, self.fair_log_odds = np.full((2, MAX_OUTCOMES, 64, 0), np.nan)
        self.poll_id = np.zeros((MAX_OUTCOMES, 64, 0), np.int64)
        self.booksum = np.full((64, 0), np.nan)
        self.market, self.point = np.zeros(64, np.int64), np.zeros(64)
        self.outcome_count = np.zeros(64, np.int8)
        self.commence_at = np.full(64, NO_START, np.int64)
        self.ladder = np.zeros(64, np.intp)
        self._books = BookColumns()
        self._confirmations = ConfirmationTimes()
        self._starts: dict[int, Micros] = {}
        self._last_starts: EventStarts | None = None

    def __len__(self) -> int:
        """The number of rows, in use or free; the arrays are valid up to here."""
        return len(self.line_by_row)

    @property
    def book_ids(self) -> NDArray[np.int64]:
        """The book (B,) of each column."""
        return self._books.ids

    @property
    def confirmed_at(self) -> NDArray[np.int64]:
        """When each book last confirmed each ladder (K, B)."""
        return self._confirmations.confirmed_at

    def apply_quotes(self, quotes: QuoteBatch, polls: int | NDArray[np.int64]) -> Index:
        """Write changed prices and return the rows touched. Markets that are not valued are ignored."""
        outcome = outcome_columns(quotes)
        valued = outcome != NOT_VALUED
        if not valued.all():
            quotes, outcome = quotes.take(valued), outcome[valued]
            polls = polls if isinstance(polls, int) else polls[valued]
        column = self._columns_of(quotes.book)
        point = line_points(quotes)
        code = self._confirmations.find_ladders(quotes.event, quotes.market) << _POINT_BITS | point.view(np.uint32)
        # a book's changed prices on a line are usually adjacent, so only the first of each run is looked up
        first, length = find_runs(code, column)
        rows = self._rows_for(quotes, first, code, point)
        cells = (outcome * len(self.outcome_count) + rows.repeat(length)) * len(self.book_ids) + column
        self.price.reshape(-1)[cells] = quotes.price
        self.poll_id.reshape(-1)[cells] = polls
        self._update_fair_log_odds(rows, column[first])
        touched = np.zeros(len(self), np.bool_)
        touched[rows] = True
        return touched.nonzero()[0]

    def apply_confirmations(self, confirmations: MarketConfirmations, observed_at: Micros) -> None:
        """Store when each book last confirmed each market, capped at `observed_at`.

        Otherwise a book whose clock is hours ahead would count as fresh for hours after it stopped updating.
        """
        self._confirmations.apply(confirmations, observed_at, self._columns_of)

    def apply_starts(self, starts: EventStarts) -> None:
        """Store the events' start times."""
        if self._last_starts is not None and all(map(np.array_equal, starts.columns(), self._last_starts.columns())):
            return
        self._last_starts = starts
        for event, at in zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True):
            if self._starts.get(event) != at:
                self._starts[event] = at
                self.commence_at[list(self._lines.rows_of_event(event))] = at

    def confirmed_at_of(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """When each book last confirmed the market of each of `rows` (R,): (R, B)."""
        times: NDArray[np.int64] = self.confirmed_at.take(self.ladder[rows], axis=0)
        return times

    def rows_of_same_markets(self, rows: NDArray[np.bool_]) -> Index:
        """All rows of the ladders that have a row marked in `rows` (len(self),)."""
        used = slice(0, len(self))
        marked = np.zeros(len(self.confirmed_at), np.bool_)
        marked[self.ladder[used][rows]] = True
        return (marked[self.ladder[used]] & (self.outcome_count[used] > 0)).nonzero()[0]

    def release_empty(self, rows: Index) -> None:
        """Recycle those of `rows` that no book offers any more."""
        rows = rows[np.isnan(self.price[0].take(rows, axis=0)).all(axis=1)]
        for row in rows[np.isnan(self.price[:, rows]).all(axis=(0, 2))].tolist():
            if self._lines.release(row):
                self.outcome_count[row] = 0

    def forget_events(self, listed: NDArray[np.int32]) -> None:
        """Drop the starts and confirmations of events that are neither `listed` nor offered any more."""
        gone = self._starts.keys() - set(listed.tolist())
        for event in [event for event in gone if not self._lines.rows_of_event(event)]:
            del self._starts[event]
            self._last_starts = None
            self._confirmations.release_event(event)

    def _update_fair_log_odds(self, rows: Index, books: Index) -> None:
        """De-vig the prices of `books` on `rows` again, where they have changed."""
        width = self.outcome_count[rows]
        for n in set(OUTCOME_COUNT_BY_MARKET.values()):
            [some] = (width == n).nonzero()
            cells = rows[some] * len(self.book_ids) + books[some]
            prices = self.price.reshape(MAX_OUTCOMES, -1)[:n].take(cells, axis=1)
            self.fair_log_odds.reshape(MAX_OUTCOMES, -1)[:n, cells] = to_log_odds(devig(prices.T, self.method))
            self.booksum.reshape(-1)[cells] = booksum(1 / prices)

    def _rows_for(self, quotes: QuoteBatch, some: Index, code: NDArray[np.int64], point: NDArray[np.float32]) -> Index:
        """The row (N,) of the line of each of `some` quotes; new lines get new rows. `code` identifies lines."""
        rows = self._lines.find(code[some])
        if (rows < 0).any():
            missing = some[rows < 0]
            _, first = np.unique(code[missing], return_index=True)
            for i in missing[np.sort(first)].tolist():
                self._add_row(LineKey(int(quotes.event[i]), int(quotes.market[i]), float(point[i])), int(code[i]))
            rows = self._lines.find(code[some])
        return rows

    def _add_row(self, key: LineKey, code: int) -> None:
        row = self._lines.allocate(key, code)
        if len(self.line_by_row) > len(self.outcome_count):
            self._grow()
        self.market[row], self.point[row] = key.market, key.point
        self.outcome_count[row], self.ladder[row] = OUTCOME_COUNT_BY_MARKET[key.market], code >> _POINT_BITS
        self.commence_at[row] = self._starts.get(key.event, NO_START)

    def _grow(self) -> None:
        self.price, self.fair_log_odds = (
            double_capacity(self.price, np.nan, 1),
            double_capacity(self.fair_log_odds, np.nan, 1),
        )
        self.poll_id, self.booksum = double_capacity(self.poll_id, 0, 1), double_capacity(self.booksum, np.nan)
        self.market, self.point = double_capacity(self.market, 0), double_capacity(self.point, 0)
        self.outcome_count, self.commence_at = (
            double_capacity(self.outcome_count, 0),
            double_capacity(self.commence_at, NO_START),
        )
        self.ladder = double_capacity(self.ladder, 0)

    def _columns_of(self, books: NDArray[np.int16]) -> Index:
        """The column of each book; new books get new columns."""
        column = self._books.columns_of(books)
        if (column < 0).any():
            where = self._books.add_missing(books)
            self.price, self.fair_log_odds = (
                np.insert(a, where, np.nan, axis=2) for a in (self.price, self.fair_log_odds)
            )
            self.poll_id, self.booksum = (
                np.insert(self.poll_id, where, 0, axis=2),
                np.insert(self.booksum, where, np.nan, axis=1),
            )
            self._confirmations.insert_books(where)
            column = self._books.columns_of(books)
        return column


@dataclass(frozen=True, slots=True, eq=False)
class LineView:
    """The lines to value: whole ladders, all with the same number of outcomes n.

    `price` (n, L, B), NaN where nothing is offered; `fair_log_odds` (n, L, B) and `booksum` (L, B) as in `LineMatrix`;
    `confirmed_at` (L, B) and `commence_at` (L,) in microseconds; `market`, `point` and `ladder` (L,).
    """

    price: Array
    fair_log_odds: Array
    booksum: Array
    confirmed_at: NDArray[np.int64]
    commence_at: NDArray[np.int64]
    market: NDArray[np.int64]
    point: Array
    ladder: NDArray[np.intp]

    @classmethod
    def from_prices(
        cls,
        prices: Array,
        confirmed_at: NDArray[np.int64],
        *,
        commence_at: NDArray[np.int64],
        market: Market,
        point: Array,
        ladder: NDArray[np.intp],
        method: DevigMethod,
    ) -> LineView:
        """Lines of one market from `prices` (L, B, n), de-vigged by `method`."""
        first = np.moveaxis(prices, 2, 0)
        fair_log_odds, cost = to_log_odds(devig(prices, method)), booksum(1 / first)
        return cls(
            first,
            fair_log_odds,
            cost,
            confirmed_at,
            commence_at,
            np.full(len(prices), int(market)),
            point,
            ladder,
        )

    def threshold(self) -> Array:
        """The margin or total (L,) that must be exceeded for the first outcome to win."""
        return np.where(self.market == int(Market.SPREADS), 0.0 - self.point, self.point)


def view_lines(matrix: LineMatrix, rows: NDArray[np.intp], outcomes: int) -> LineView:
    """A view of the lines `rows` of a matrix, all with this number of `outcomes`."""
    return LineView(
        # `take` copies whole rows of books, which is faster than an index array
        price=matrix.price[:outcomes].take(rows, axis=1),
        fair_log_odds=matrix.fair_log_odds[:outcomes].take(rows, axis=1),
        booksum=matrix.booksum.take(rows, axis=0),
        confirmed_at=matrix.confirmed_at_of(rows),
        commence_at=matrix.commence_at[rows],
        market=matrix.market[rows],
        point=matrix.point[rows],
        ladder=matrix.ladder[rows],
    )
