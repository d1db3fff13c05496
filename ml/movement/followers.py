"""Which books made the same move before and after, over the moves of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]


class MarketMoves(NamedTuple):
    """Moves of markets (m,): the direction of each (1, -1), and when, in microseconds."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    direction: NDArray[np.int16]
    at: Numbers


class FollowerCounts(NamedTuple):
    """For each move (m,): the number of independent books that made it shortly `before` and `after`, and who was first.

    `leader` is the book that made it first, -1 where two independent ones did at the same time; `lag_seconds` since
    then.
    """

    before: Numbers
    after: Numbers
    leader: Numbers
    lag_seconds: Array


def count_followers(moves: MarketMoves, book: Numbers, clone_group: Numbers, window_seconds: Array) -> FollowerCounts:
    """Count, for moves of books (m,), the books that made the same move within `window_seconds` (m,).

    `clone_group` (m,) is the book itself or the one it copies: together they count as one.
    """
    key, near = _to_common_axis((moves,), window_seconds)
    order = np.lexsort((book, key))
    key, near, at, book, clone_group = (column[order] for column in (key, near, moves.at, book, clone_group))
    first, end = np.searchsorted(key, key - near), np.searchsorted(key, key + near, side="right")
    before, after = _count_around(at, clone_group, first, end - first)
    second = np.minimum(first + 1, end - 1)
    at_once = (at[second] == at[first]) & (clone_group[second] != clone_group[first])
    leader, lag = np.where(at_once, -1, book[first]), (at - at[first]) / MICROS_PER_SECOND
    back = np.argsort(order)
    return FollowerCounts(before[back], after[back], leader[back], lag[back])


def is_in_steam(moves: MarketMoves, window_seconds: Array, steams: MarketMoves) -> NDArray[np.bool_]:
    """Whether a steam in the same direction follows each move (m,) within `window_seconds` (m,)."""
    key, near = _to_common_axis((moves, steams), window_seconds)
    own, steam = key[: len(window_seconds)], np.sort(key[len(window_seconds) :])
    within: NDArray[np.bool_] = np.searchsorted(steam, own) < np.searchsorted(steam, own + near, side="right")
    return within


def _count_around(at: Numbers, clone_group: Numbers, first: Numbers, around: Numbers) -> tuple[Numbers, Numbers]:
    """Clone groups other than a move's own, before and after it, among the `around` moves from `first` on."""
    one = np.repeat(np.arange(len(at)), around)
    other = np.arange(len(one)) + np.repeat(first - np.cumsum(around) + around, around)
    group_count = int(clone_group.max(initial=0)) + 1
    before, after = (
        np.bincount(np.unique(one[some] * group_count + clone_group[other[some]]) // group_count, minlength=len(at))
        for some in (
            np.flatnonzero((clone_group[other] != clone_group[one]) & side)
            for side in (at[other] < at[one], at[other] > at[one])
        )
    )
    return before, after


def _to_common_axis(parts: tuple[MarketMoves, ...], window_seconds: Array) -> tuple[Numbers, Numbers]:
    """Times on one axis, with each (market, direction) shifted so far that no window reaches into another.

    Also the windows in microseconds.
    """
    event, market, direction, at = (np.concatenate(columns).astype(np.int64) for columns in zip(*parts, strict=True))
    _, number = np.unique(event << 18 | market << 2 | direction + 1, return_inverse=True)  # 32 bits, 16 and 2
    near = (window_seconds * MICROS_PER_SECOND).astype(np.int64)
    since = at - (at.min() if len(at) else 0)
    return number * (int(since.max(initial=0)) + int(near.max(initial=0)) + 1) + since, near
