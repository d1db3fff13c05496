"""The book x selection matrix of one sport: every line's current prices, with ages and starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.market import DevigMethod, devig, log_odds
from ml.market.methods import booksum
from ml.scoring.bookcolumns import BookColumns
from ml.scoring.confirmations import Confirmations
from ml.scoring.lines import NOT_VALUED, WIDEST, WIDTH_OF, LineKey, line_points, outcome_columns
from ml.scoring.rows import LineRows
from ml.scoring.slots import grown, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch

    Index = NDArray[np.intp]

NO_START: Micros = np.iinfo(np.int64).max
_POINT_BITS = 32
"""Of a line's code: its ladder above, the bits of its point below."""


class LineMatrix:
    """Prices by outcome, line and book; rows are recycled when a line is no longer offered by anybody.

    Arrays (capacity L lines, B books in the order of their ids, `WIDEST` outcomes): `price` (3, L, B) with NaN where
    nothing is offered, `poll` (3, L, B) the poll that brought the price, `opinion` (3, L, B) the book's fair log-odds
    by `method`, NaN where its prices do not make a market, `cost` (L, B) the sum of what its prices imply; `market`,
    `point`, `width`, `start` and `ladder` by line. `rows` and `keys` tell which line a row is.
    """

    def __init__(self, method: DevigMethod = DevigMethod.POWER) -> None:
        self.method = method
        self._lines = LineRows()
        self.rows, self.keys = self._lines.rows, self._lines.keys
        self.price, self.opinion = np.full((2, WIDEST, 64, 0), np.nan)
        self.poll = np.zeros((WIDEST, 64, 0), np.int64)
        self.cost = np.full((64, 0), np.nan)
        self.market, self.point = np.zeros(64, np.int64), np.zeros(64)
        self.width = np.zeros(64, np.int8)
        self.start = np.full(64, NO_START, np.int64)
        self.ladder = np.zeros(64, np.intp)
        self._books = BookColumns()
        self._confirmed = Confirmations()
        self._starts: dict[int, Micros] = {}
        self._listed: EventStarts | None = None

    def __len__(self) -> int:
        """Rows in use or free for recycling; arrays are meaningful up to here."""
        return len(self.keys)

    @property
    def book_ids(self) -> NDArray[np.int64]:
        """The book (B,) of each column."""
        return self._books.ids

    @property
    def times(self) -> NDArray[np.int64]:
        """When each book last confirmed each ladder (K, B)."""
        return self._confirmed.times

    def apply_quotes(self, quotes: QuoteBatch, polls: int | NDArray[np.int64]) -> Index:
        """Write changed prices; return the rows touched. Markets that are not valued are passed over."""
        outcome = outcome_columns(quotes)
        valued = outcome != NOT_VALUED
        if not valued.all():
            quotes, outcome = quotes.take(valued), outcome[valued]
            polls = polls if isinstance(polls, int) else polls[valued]
        column = self._columns(quotes.book)
        point = line_points(quotes)
        code = self._confirmed.ladders(quotes.event, quotes.market) << _POINT_BITS | point.view(np.uint32)
        # a book's changed prices of a line stand together, as a rule: it is enough to look at the first
        first, length = runs(code, column)
        rows = self._rows_of(quotes, first, code, point)
        cells = (outcome * len(self.width) + rows.repeat(length)) * len(self.book_ids) + column
        self.price.reshape(-1)[cells] = quotes.price
        self.poll.reshape(-1)[cells] = polls
        self._reconsider(rows, column[first])
        touched = np.zeros(len(self), np.bool_)
        touched[rows] = True
        return touched.nonzero()[0]

    def apply_times(self, times: MarketTimes, seen: Micros) -> None:
        """Take over when each book last confirmed each market, as it was `seen`: nothing is confirmed later than that.

        A book whose clock is ahead by hours would pass for fresh for as long after it has gone silent.
        """
        self._confirmed.apply(times, seen, self._columns)

    def apply_starts(self, starts: EventStarts) -> None:
        """Take over the events' start times."""
        if self._listed is not None and all(map(np.array_equal, starts.columns(), self._listed.columns())):
            return
        self._listed = starts
        for event, at in zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True):
            if self._starts.get(event) != at:
                self._starts[event] = at
                self.start[list(self._lines.of_event(event))] = at

    def book_times(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """When each book last confirmed the market of each of `rows`: (rows, B)."""
        times: NDArray[np.int64] = self.times.take(self.ladder[rows], axis=0)
        return times

    def beside(self, rows: NDArray[np.bool_]) -> Index:
        """The rows of the ladders of which a row is marked in `rows` (len(self),)."""
        used = slice(0, len(self))
        marked = np.zeros(len(self.times), np.bool_)
        marked[self.ladder[used][rows]] = True
        return (marked[self.ladder[used]] & (self.width[used] > 0)).nonzero()[0]

    def release_empty(self, rows: Index) -> None:
        """Recycle those of `rows` that nobody offers any more."""
        rows = rows[np.isnan(self.price[0].take(rows, axis=0)).all(axis=1)]
        for row in rows[np.isnan(self.price[:, rows]).all(axis=(0, 2))].tolist():
            if self._lines.release(row):
                self.width[row] = 0

    def forget_events(self, listed: NDArray[np.int32]) -> None:
        """Drop what is remembered of events that are neither listed nor offered any more."""
        gone = self._starts.keys() - set(listed.tolist())
        for event in [event for event in gone if not self._lines.of_event(event)]:
            del self._starts[event]
            self._listed = None
            self._confirmed.forget(event)

    def _reconsider(self, rows: Index, books: Index) -> None:
        """Work out anew what books say of lines on which they have changed a price."""
        width = self.width[rows]
        for n in set(WIDTH_OF.values()):
            [some] = (width == n).nonzero()
            cells = rows[some] * len(self.book_ids) + books[some]
            prices = self.price.reshape(WIDEST, -1)[:n].take(cells, axis=1)
            self.opinion.reshape(WIDEST, -1)[:n, cells] = log_odds(devig(prices.T, self.method))
            self.cost.reshape(-1)[cells] = booksum(1 / prices)

    def _rows_of(self, quotes: QuoteBatch, some: Index, code: NDArray[np.int64], point: NDArray[np.float32]) -> Index:
        """The row (N,) of the line of each of `some` quotes, new lines with new ones; `code` tells lines apart."""
        rows = self._lines.find(code[some])
        if (rows < 0).any():
            missing = some[rows < 0]
            _, first = np.unique(code[missing], return_index=True)
            for i in missing[np.sort(first)].tolist():
                self._new_row(LineKey(int(quotes.event[i]), int(quotes.market[i]), float(point[i])), int(code[i]))
            rows = self._lines.find(code[some])
        return rows

    def _new_row(self, key: LineKey, code: int) -> None:
        row = self._lines.take(key, code)
        if len(self.keys) > len(self.width):
            self._grow()
        self.market[row], self.point[row] = key.market, key.point
        self.width[row], self.ladder[row] = WIDTH_OF[key.market], code >> _POINT_BITS
        self.start[row] = self._starts.get(key.event, NO_START)

    def _grow(self) -> None:
        self.price, self.opinion = grown(self.price, np.nan, 1), grown(self.opinion, np.nan, 1)
        self.poll, self.cost = grown(self.poll, 0, 1), grown(self.cost, np.nan)
        self.market, self.point = grown(self.market, 0), grown(self.point, 0)
        self.width, self.start = grown(self.width, 0), grown(self.start, NO_START)
        self.ladder = grown(self.ladder, 0)

    def _columns(self, books: NDArray[np.int16]) -> Index:
        """The column of each book; new books get one."""
        column = self._books.of(books)
        if (column < 0).any():
            where = self._books.newcomers(books)
            self.price, self.opinion = (np.insert(a, where, np.nan, axis=2) for a in (self.price, self.opinion))
            self.poll, self.cost = np.insert(self.poll, where, 0, axis=2), np.insert(self.cost, where, np.nan, axis=1)
            self._confirmed.insert_books(where)
            column = self._books.of(books)
        return column
