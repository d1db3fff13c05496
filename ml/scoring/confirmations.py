"""When each book last confirmed each market of each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market
from ml.scoring.slots import Slots, grown, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.quotes import MarketTimes, Micros

_VALUED = len(OUTCOMES_OF)
_NONE = -1
# the last place stands for all ids beyond
_PLACE = np.full(max(Market) + 2, _NONE, np.intp)
_PLACE[[int(market) for market in OUTCOMES_OF]] = range(_VALUED)


class _Offer(NamedTuple):
    """The markets on offer, row by row, which rows of them are valued (None: all), and the ladders of these."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    valued: NDArray[np.intp] | None
    ladder: NDArray[np.intp]


class Confirmations:
    """`times` (K, B) by ladder (a market of an event, `ladders` numbers them) and book, in microseconds."""

    def __init__(self) -> None:
        self.times = np.full((16 * _VALUED, 0), UNKNOWN_TIME, np.int64)
        self._events = Slots()
        self._offer: _Offer | None = None

    def apply(
        self, times: MarketTimes, latest: Micros, columns: Callable[[NDArray[np.int16]], NDArray[np.intp]]
    ) -> None:
        """Take over a poll's times, none later than `latest`.

        `columns` gives books theirs, and lets `insert_books` make room for new ones.
        """
        offer = self._offer = self._placed(times.event, times.market)
        book, stated = times.book, np.minimum(times.book_time, latest)
        if offer.valued is not None:
            book, stated = book[offer.valued], stated[offer.valued]
        column = columns(book)
        self.times.reshape(-1)[offer.ladder * self.times.shape[1] + column] = stated

    def ladders(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> NDArray[np.intp]:
        """The ladder of each market (N,), all of them valued; those of an event mostly stand together."""
        first, length = runs(event)
        slots = self._events.take_all(event[first].tolist())
        while len(self._events) * _VALUED > len(self.times):
            self.times = grown(self.times, UNKNOWN_TIME)
        return (slots * _VALUED).repeat(length) + _PLACE.take(market)

    def insert_books(self, where: NDArray[np.intp]) -> None:
        """Make columns for new books, as `np.insert` counts."""
        self.times = np.insert(self.times, where, UNKNOWN_TIME, axis=1)

    def forget(self, event: int) -> None:
        """Free the ladders of an event that has ended."""
        slot = self._events.release(event)
        if slot is not None:
            self.times[slot * _VALUED : (slot + 1) * _VALUED] = UNKNOWN_TIME
            self._offer = None

    def _placed(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> _Offer:
        """The ladders of what is on offer: mostly those of the last poll, only the books come in another order."""
        last = self._offer
        if last is not None and np.array_equal(event, last.event) and np.array_equal(market, last.market):
            return last
        valued = np.flatnonzero(_PLACE[np.minimum(market, len(_PLACE) - 1)] != _NONE)
        if len(valued) == len(market):
            return _Offer(event, market, None, self.ladders(event, market))
        return _Offer(event, market, valued, self.ladders(event[valued], market[valued]))
