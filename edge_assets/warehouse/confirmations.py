"""When each book last confirmed its prices at each decision point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import UNKNOWN_TIME, MarketConfirmations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge_assets.store.analytics.pricing import DecisionPoints


class DecisionConfirmations:
    """Confirmation times by (decision, book, market), from the last poll before each decision.

    Unknown for imported polls: they list events, not what their books confirmed.
    """

    def __init__(self, decisions: DecisionPoints, market_times: Iterable[tuple[int, MarketConfirmations]]) -> None:
        order = np.argsort(decisions.poll_id, kind="stable")
        polls = decisions.poll_id[order]
        parts = [
            self._times_of_decision(int(number), int(decisions.event_id[number]), times)
            for poll_id, times in market_times
            for number in order[slice(*np.searchsorted(polls, [poll_id, poll_id + 1]))]
        ]
        keys, times = (np.concatenate(column) for column in zip((_NO_KEYS, _NO_KEYS), *parts, strict=True))
        sorting = np.argsort(keys, kind="stable")
        self._keys, self._times = keys[sorting], times[sorting]

    def confirmed_at(self, decision: NDArray[Any], book: NDArray[Any], market: NDArray[Any]) -> NDArray[np.int64]:
        """When each quote was last confirmed."""
        requested = _pack_keys(decision, book, market)
        position = np.searchsorted(self._keys, requested)
        found = np.flatnonzero(position < len(self._keys))
        found = found[self._keys[position[found]] == requested[found]]
        times = np.full(len(requested), UNKNOWN_TIME)
        times[found] = self._times[position[found]]
        return times

    @staticmethod
    def _times_of_decision(
        number: int, event: int, times: MarketConfirmations
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        is_own_event = times.event == event
        return _pack_keys(
            np.full(is_own_event.sum(), number), times.book[is_own_event], times.market[is_own_event]
        ), times.confirmed_at[is_own_event]


_NO_KEYS = np.empty(0, np.int64)


def _pack_keys(decision: NDArray[Any], book: NDArray[Any], market: NDArray[Any]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = decision.astype(np.int64) << 32 | book.astype(np.int64) << 16 | market
    return keys
