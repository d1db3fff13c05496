"""When each book last confirmed what it offers at the moments that are priced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import UNKNOWN_TIME, MarketTimes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge_assets.store.pricing import Decisions


class Confirmations:
    """Market times by (decision, book, market), taken from the last look before each decision.

    Unknown where no look tells: imported looks list events and not what their books confirmed.
    """

    def __init__(self, decisions: Decisions, looks: Iterable[tuple[int, MarketTimes]]) -> None:
        order = np.argsort(decisions.poll_id, kind="stable")
        polls = decisions.poll_id[order]
        parts = [
            self._of(int(number), int(decisions.event_id[number]), times)
            for poll_id, times in looks
            for number in order[slice(*np.searchsorted(polls, [poll_id, poll_id + 1]))]
        ]
        keys, times = (np.concatenate(column) for column in zip((_NO_KEYS, _NO_KEYS), *parts, strict=True))
        sorting = np.argsort(keys, kind="stable")
        self._keys, self._times = keys[sorting], times[sorting]

    def at(self, decision: NDArray[Any], book: NDArray[Any], market: NDArray[Any]) -> NDArray[np.int64]:
        """When each quote was last confirmed."""
        wanted = _keys(decision, book, market)
        at = np.searchsorted(self._keys, wanted)
        found = np.flatnonzero(at < len(self._keys))
        found = found[self._keys[at[found]] == wanted[found]]
        times = np.full(len(wanted), UNKNOWN_TIME)
        times[found] = self._times[at[found]]
        return times

    @staticmethod
    def _of(number: int, event: int, times: MarketTimes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        mine = times.event == event
        return _keys(np.full(mine.sum(), number), times.book[mine], times.market[mine]), times.book_time[mine]


_NO_KEYS = np.empty(0, np.int64)


def _keys(decision: NDArray[Any], book: NDArray[Any], market: NDArray[Any]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = decision.astype(np.int64) << 32 | book.astype(np.int64) << 16 | market
    return keys
