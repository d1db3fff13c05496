"""Arrays beyond NumPy: medians of many rows, cells of a mask, runs of equal rows, and indices that are recycled."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

Cells: TypeAlias = "tuple[NDArray[np.intp], ...]"
"""Outcome, line and book (M,) of some prices of a block (n, L, B)."""


def medians(values: Array) -> Array:
    """The middle along the last axis (..., n) of what is not NaN; NaN of nothing.

    `np.nanmedian` takes each row by itself, or masks it.
    """
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    return _median_of_sorted(np.sort(values, axis=-1), np.count_nonzero(~np.isnan(values), axis=-1)[..., None])[..., 0]


def medians_of_others(values: Array) -> Array:
    """Leaving a value out moves those behind it forward by one place, so each row is sorted once, not n times."""
    order = np.argsort(values, axis=1)
    known = ~np.isnan(values)
    rank = np.where(known, np.argsort(order, axis=1), values.shape[1])
    others = np.count_nonzero(known, axis=1)[:, None] - known
    return np.where(others > 0, _median_of_sorted(np.take_along_axis(values, order, axis=1), others, rank), np.nan)


def _median_of_sorted(ranked: Array, count: NDArray[np.intp], without: NDArray[np.intp] | None = None) -> Array:
    """Median of the first `count` (..., k) values of sorted rows (..., n), skipping the one at index `without` (...,
    k).
    """
    places = [np.maximum(count - 1, 0) // 2, count // 2]
    if without is not None:
        places = [place + (place >= without) for place in places]
    lower, upper = (np.take_along_axis(ranked, np.minimum(p, ranked.shape[-1] - 1), axis=-1) for p in places)
    middle: Array = (lower + upper) / 2
    return middle


def nonzero_cells(mask: NDArray[np.bool_]) -> Cells:
    """`mask.nonzero()`, which takes eight times as long where there are more dimensions than one."""
    [flat] = mask.reshape(-1).nonzero()
    return np.unravel_index(flat, mask.shape)


class IndexAllocator:
    """Gives each name the lowest number that was never taken, or the last one released."""

    def __init__(self) -> None:
        self._index_by_key: dict[int, int] = {}
        self._free: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        """How many numbers there are, taken or free."""
        return self._size

    def allocate(self, key: int) -> int:
        """The number of `key`."""
        index = self._index_by_key.get(key)
        if index is None:
            index = self._free.pop() if self._free else self._size
            self._index_by_key[key] = index
            self._size = max(self._size, index + 1)
        return index

    def allocate_all(self, keys: list[int]) -> NDArray[np.intp]:
        """The numbers (N,) of `keys`; mostly all are known."""
        indices = list(map(self._index_by_key.get, keys))
        if None in indices:
            indices = list(map(self.allocate, keys))
        return np.array(indices, np.intp)

    def release(self, key: int) -> int | None:
        """Free the number of `key` and tell which it was."""
        index = self._index_by_key.pop(key, None)
        if index is not None:
            self._free.append(index)
        return index


def find_runs(*columns: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each run of rows that are equal in all `columns` (N,) begins, and how long it is."""
    size = len(columns[0])
    if not size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    [ends] = reduce(np.logical_or, [column[1:] != column[:-1] for column in columns]).nonzero()
    bounds = np.concatenate([[0], ends + 1, [size]])
    return bounds[:-1], bounds[1:] - bounds[:-1]


def double_capacity(array: NDArray[Any], fill: float, axis: int = 0) -> NDArray[Any]:
    """`array` with twice as much room along `axis`."""
    return np.concatenate([array, np.full_like(array, fill)], axis=axis)
