"""The book x selection matrix of one sport: every line's current prices, with ages and starts.

A *line* is a market of an event at one point: its outcomes exhaust what can happen (but for a push), so
it can be de-vigged and arbitraged. Spreads are keyed by the home side's point: home -3.5 and away +3.5
are the two outcomes of one line. The lines of a market at different points are its *ladder*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.market import DevigMethod, devig, log_odds
from ml.market.methods import booksum
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market, Outcome
from ml.scoring.slots import Slots, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch

WIDEST = max(len(o) for o in OUTCOMES_OF.values())
NO_START: Micros = np.iinfo(np.int64).max
_NONE = -1
_VALUED = list(OUTCOMES_OF)
_PLACE = np.full(max(Market) + 1, _NONE, np.int8)
_PLACE[[int(m) for m in _VALUED]] = range(len(_VALUED))
_COLUMN = np.full((max(Market) + 1, max(Outcome) + 1), _NONE, np.int8)
for _market, _outcomes in OUTCOMES_OF.items():
    _COLUMN[_market, _outcomes] = range(len(_outcomes))
_WIDTH = {int(m): len(outcomes) for m, outcomes in OUTCOMES_OF.items()}


class LineKey(NamedTuple):
    """Identity of a line; `point` is the home side's (or the total), 0 where the market has none."""

    event: int
    market: int
    point: float


class _Confirmed(NamedTuple):
    """What was on offer (event, market, book), which of it is valued, and the ladder and column of that."""

    offer: tuple[NDArray[Any], ...]
    valued: NDArray[np.intp]
    ladder: NDArray[np.intp]
    column: NDArray[np.intp]


def selection_point(key: LineKey, column: int) -> float | None:
    """The point as the book writes it beside outcome number `column` of the line."""
    if key.market == Market.SPREADS:
        return key.point if OUTCOMES_OF[Market.SPREADS][column] is Outcome.HOME else 0.0 - key.point
    return key.point if key.market == Market.TOTALS else None


def line_key(event: int, market: int, outcome: int | None, point: float | None) -> LineKey:
    """The line that a quote belongs to; `point` as the book writes it, None or NaN where there is none."""
    if point is None or point != point:  # noqa: PLR0124 - NaN: the market has no point
        return LineKey(event, market, 0.0)
    away = market == Market.SPREADS and outcome == Outcome.AWAY
    return LineKey(event, market, 0.0 - point if away else 0.0 + point)


class LineMatrix:
    """Prices by outcome, line and book; rows are recycled when a line is no longer offered by anybody.

    Books stand in the order of their ids, so that what is worked out from them does not depend on who came first.
    Arrays (capacity L lines, B books, `WIDEST` outcomes): `price` (3, L, B) with NaN where nothing is offered, `poll`
    (3, L, B) the poll that brought the price, `opinion` (3, L, B) the book's fair log-odds by `method`, NaN where its
    prices do not make a market, `cost` (L, B) the sum of what its prices imply; `key`, `market`, `point`, `width` and
    `ladder` by line.
    """

    def __init__(self, method: DevigMethod = DevigMethod.POWER) -> None:
        self.method = method
        self.rows: dict[LineKey, int] = {}
        self.keys: list[LineKey | None] = []
        self.book_ids = np.empty(0, np.int64)
        self.price, self.opinion = np.full((2, WIDEST, 64, 0), np.nan)
        self.poll = np.zeros((WIDEST, 64, 0), np.int64)
        self.cost = np.full((64, 0), np.nan)
        self.market, self.point = np.zeros(64, np.int64), np.zeros(64)
        self.width = np.zeros(64, np.int8)
        self.start = np.full(64, NO_START, np.int64)
        self.ladder = np.zeros(64, np.intp)
        self.times = np.full((16 * len(_VALUED), 0), UNKNOWN_TIME, np.int64)
        self._events = Slots()
        self._confirmed: _Confirmed | None = None
        self._starts: dict[int, Micros] = {}
        self._rows_of_event: dict[int, set[int]] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """Rows in use or free for recycling; arrays are meaningful up to here."""
        return len(self.keys)

    def apply_quotes(self, quotes: QuoteBatch, polls: int | NDArray[np.int64]) -> NDArray[np.intp]:
        """Write changed prices; return the rows touched. Markets that are not valued are passed over."""
        column = _columns(quotes)
        valued = column != _NONE
        if not valued.all():
            quotes, column = quotes.take(valued), column[valued]
            polls = polls if isinstance(polls, int) else polls[valued]
        rows, books = self._rows_of(quotes), self._books(quotes.book)
        self.price[column, rows, books] = quotes.price
        self.poll[column, rows, books] = polls
        # a book's changed prices of a line stand together, as a rule: it is enough to look at the first
        first, _ = runs(rows * len(self.book_ids) + books)
        self._reconsider(rows[first], books[first])
        return np.unique(rows[first])

    def apply_times(self, times: MarketTimes) -> None:
        """Take over when each book last confirmed each market."""
        offer = (times.event, times.market, times.book)
        if self._confirmed is None or not _equal(offer, self._confirmed.offer):
            self._confirmed = self._cells_of(offer)
        self.times[self._confirmed.ladder, self._confirmed.column] = times.book_time[self._confirmed.valued]

    def apply_starts(self, starts: EventStarts) -> None:
        """Take over the events' start times."""
        for event, at in zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True):
            if self._starts.get(event) != at:
                self._starts[event] = at
                self.start[list(self._rows_of_event.get(event, ()))] = at

    def book_times(self, rows: NDArray[Any] | slice) -> NDArray[np.int64]:
        """When each book last confirmed the market of each of `rows`: (rows, B)."""
        return self.times[self.ladder[rows]]

    def beside(self, rows: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The rows of the ladders of which a row is marked in `rows` (len(self),)."""
        used = slice(0, len(self))
        marked = np.zeros(len(self.times), np.bool_)
        marked[self.ladder[used][rows]] = True
        return np.flatnonzero(marked[self.ladder[used]] & (self.width[used] > 0))

    def release_empty(self, rows: NDArray[np.intp]) -> None:
        """Recycle those of `rows` that nobody offers any more."""
        for row in rows[np.isnan(self.price[:, rows]).all(axis=(0, 2))].tolist():
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
        for event in [event for event in gone if not self._rows_of_event.get(event)]:
            del self._starts[event]
            self._rows_of_event.pop(event, None)
            slot = self._events.release(event)
            if slot is not None:
                self.times[slot * len(_VALUED) : (slot + 1) * len(_VALUED)] = UNKNOWN_TIME
                self._confirmed = None

    def _reconsider(self, rows: NDArray[np.intp], books: NDArray[np.intp]) -> None:
        """Work out anew what books say of lines on which they have changed a price."""
        for n in set(_WIDTH.values()):
            some = self.width[rows] == n
            line, book = rows[some], books[some]
            prices = self.price[:n, line, book]
            self.opinion[:n, line, book] = log_odds(devig(prices.T, self.method))
            self.cost[line, book] = booksum(1 / prices)

    def _cells_of(self, offer: tuple[NDArray[Any], ...]) -> _Confirmed:
        """Where the confirmations of an offer (event, market, book) go."""
        event, market, book = offer
        known = market < len(_PLACE)
        place = np.where(known, _PLACE[np.where(known, market, 0)], _NONE)
        valued = np.flatnonzero(place != _NONE)
        column = self._books(book[valued])
        return _Confirmed(offer, valued, self._slots(event[valued]) * len(_VALUED) + place[valued], column)

    def _rows_of(self, quotes: QuoteBatch) -> NDArray[np.intp]:
        """The row of each quote's line, new lines with new ones; a book's quotes of a line mostly stand together."""
        ladder, point = self._slots(quotes.event) * len(_VALUED) + _PLACE[quotes.market], _line_points(quotes)
        first, length = runs(ladder << 32 | point.view(np.uint32))
        lines = zip(*(c[first].tolist() for c in (quotes.event, quotes.market, point)), strict=True)
        rows = [
            self.rows[line] if line in self.rows else self._new_row(LineKey(*line), slot)
            for line, slot in zip(lines, ladder[first].tolist(), strict=True)
        ]
        return np.repeat(np.array(rows, np.intp), length)

    def _new_row(self, key: LineKey, ladder: int) -> int:
        row = self._free.pop() if self._free else self._append()
        self.rows[key], self.keys[row] = row, key
        self.market[row], self.point[row] = key.market, key.point
        self.width[row], self.ladder[row] = _WIDTH[key.market], ladder
        self.start[row] = self._starts.get(key.event, NO_START)
        self._rows_of_event.setdefault(key.event, set()).add(row)
        return row

    def _append(self) -> int:
        self.keys.append(None)
        if len(self.keys) > len(self.width):
            self.price, self.opinion = _grown(self.price, np.nan, 1), _grown(self.opinion, np.nan, 1)
            self.poll, self.cost = _grown(self.poll, 0, 1), _grown(self.cost, np.nan)
            self.market, self.point = _grown(self.market, 0), _grown(self.point, 0)
            self.width, self.start = _grown(self.width, 0), _grown(self.start, NO_START)
            self.ladder = _grown(self.ladder, 0)
        return len(self.keys) - 1

    def _slots(self, events: NDArray[np.int32]) -> NDArray[np.intp]:
        """The slot of each event; quotes of an event mostly stand together."""
        first, length = runs(events)
        slots = np.repeat([self._events.take(event) for event in events[first].tolist()], length).astype(np.intp)
        while len(self._events) * len(_VALUED) > len(self.times):
            self.times = _grown(self.times, UNKNOWN_TIME)
        return slots

    def _books(self, books: NDArray[np.int16]) -> NDArray[np.intp]:
        """The column of each book; new books get one."""
        at = np.searchsorted(self.book_ids, books)
        if not self.book_ids.size or (self.book_ids[np.minimum(at, len(self.book_ids) - 1)] != books).any():
            new = np.setdiff1d(books, self.book_ids)
            where = np.searchsorted(self.book_ids, new)
            self.book_ids = np.insert(self.book_ids, where, new)
            self.price, self.opinion = (np.insert(a, where, np.nan, axis=2) for a in (self.price, self.opinion))
            self.poll, self.cost = np.insert(self.poll, where, 0, axis=2), np.insert(self.cost, where, np.nan, axis=1)
            self.times = np.insert(self.times, where, UNKNOWN_TIME, axis=1)
            self._confirmed = None
            at = np.searchsorted(self.book_ids, books)
        return at


def _columns(quotes: QuoteBatch) -> NDArray[np.int8]:
    """The column of each quote's outcome in its line, `_NONE` where its market is not valued."""
    known = (quotes.market < _COLUMN.shape[0]) & (quotes.outcome < _COLUMN.shape[1])
    return np.where(known, _COLUMN[np.where(known, quotes.market, 0), np.where(known, quotes.outcome, 0)], _NONE)


def _line_points(quotes: QuoteBatch) -> NDArray[np.float32]:
    """`line_key(...).point` of each quote."""
    point = np.where(np.isnan(quotes.point), np.float32(0), quotes.point)
    away = (quotes.market == Market.SPREADS) & (quotes.outcome == Outcome.AWAY)
    return np.where(away, np.float32(0) - point, np.float32(0) + point)


def _equal(some: tuple[NDArray[Any], ...], others: tuple[NDArray[Any], ...]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def _grown(array: NDArray[Any], fill: float, axis: int = 0) -> NDArray[Any]:
    return np.concatenate([array, np.full_like(array, fill)], axis=axis)
