"""Who made the same move before and after, looking back at the moves of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]

SECOND = 1_000_000


class Seen(NamedTuple):
    """What was seen of markets (m,): to which side each moved (1, -1), and when, in microseconds."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    direction: NDArray[np.int16]
    at: Numbers


class Following(NamedTuple):
    """For each move (m,): independent books that made it shortly `before` and `after`, and who began.

    `leader` is the book that made it first, -1 where two that are independent did at once; `lag` the seconds since.
    """

    before: Numbers
    after: Numbers
    leader: Numbers
    lag: Array


def followed(seen: Seen, book: Numbers, origin: Numbers, reach: Array) -> Following:
    """Look around the moves of books (m,); others within `reach` seconds (m,) made the same move.

    `origin` (m,) is the book itself, or whom it copies: together they count as one.
    """
    key, near = _on_one_axis((seen,), reach)
    order = np.lexsort((book, key))
    key, near, at, book, origin = (column[order] for column in (key, near, seen.at, book, origin))
    first, end = np.searchsorted(key, key - near), np.searchsorted(key, key + near, side="right")
    before, after = _counted(at, origin, first, end - first)
    second = np.minimum(first + 1, end - 1)
    at_once = (at[second] == at[first]) & (origin[second] != origin[first])
    leader, lag = np.where(at_once, -1, book[first]), (at - at[first]) / SECOND
    back = np.argsort(order)
    return Following(before[back], after[back], leader[back], lag[back])


def in_steam(seen: Seen, reach: Array, steams: Seen) -> NDArray[np.bool_]:
    """Whether a steam the same way is seen within `reach` seconds (m,) behind each move (m,)."""
    key, near = _on_one_axis((seen, steams), reach)
    own, steam = key[: len(reach)], np.sort(key[len(reach) :])
    within: NDArray[np.bool_] = np.searchsorted(steam, own) < np.searchsorted(steam, own + near, side="right")
    return within


def _counted(at: Numbers, origin: Numbers, first: Numbers, around: Numbers) -> tuple[Numbers, Numbers]:
    """Origins, other than a move's own, before and after it, among the `around` moves from the `first` on."""
    one = np.repeat(np.arange(len(at)), around)
    other = np.arange(len(one)) + np.repeat(first - np.cumsum(around) + around, around)
    origins = int(origin.max(initial=0)) + 1
    before, after = (
        np.bincount(np.unique(one[some] * origins + origin[other[some]]) // origins, minlength=len(at))
        for some in (
            np.flatnonzero((origin[other] != origin[one]) & side) for side in (at[other] < at[one], at[other] > at[one])
        )
    )
    return before, after


def _on_one_axis(parts: tuple[Seen, ...], reach: Array) -> tuple[Numbers, Numbers]:
    """Times of every way that a market can move, so far apart that no `reach` leads from one into another.

    Also the reach, in microseconds.
    """
    event, market, direction, at = (np.concatenate(columns).astype(np.int64) for columns in zip(*parts, strict=True))
    _, number = np.unique(event << 18 | market << 2 | direction + 1, return_inverse=True)  # 32 bits, 16 and 2
    near = (reach * SECOND).astype(np.int64)
    since = at - (at.min() if len(at) else 0)
    return number * (int(since.max(initial=0)) + int(near.max(initial=0)) + 1) + since, near
