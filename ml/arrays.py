"""Array helpers that NumPy lacks: medians of many rows, cells of a mask, runs of equal rows, recycled indices."""

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
    """Median along the last axis (..., n), ignoring NaN; NaN where nothing is left.

    `np.nanmedian` handles one row at a time or uses masked arrays, which is slower.
    """
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    return _median_of_sorted(np.sort(values, axis=-1), np.count_nonzero(~np.isnan(values), axis=-1)[..., None])[..., 0]


def medians_of_others(values: Array) -> Array:
    """For every value of (R, n), the median of the others in its row, ignoring NaN; NaN where there are none.

    Leaving a value out moves those behind it forward by one place, so each row is sorted once, not n times.
    """
    order = np.argsort(values, axis=1)
    known = ~np.isnan(values)
    rank = np.where(known, np.argsort(order, axis=1), values.shape[1])
    others = np.count_nonzero(known, axis=1)[:, None] - known
    return np.where(others > 0, _median_of_sorted(np.take_along_axis(values, order, axis=1), others, rank), np.nan)


def _median_of_sorted(ranked: Array, count: NDArray[np.intp], without: NDArray[np.intp] | None = None) -> Array:
    """Median of the first `count` (..., k) values of sorted rows (..., n), skipping index `without` (..., k)."""
    places = [np.maximum(count - 1, 0) // 2, count // 2]
    if without is not None:
        places = [place + (place >= without) for place in places]
    lower, upper = (np.take_along_axis(ranked, np.minimum(p, ranked.shape[-1] - 1), axis=-1) for p in places)
    middle: Array = (lower + upper) / 2
    return middle


def complete_rows(values: Array) -> NDArray[np.bool_]:
    """Which rows of (N, n) have no NaN."""
    complete: NDArray[np.bool_] = np.logical_and.reduce(~np.isnan(values), axis=1)
    return complete


def nonzero_cells(mask: NDArray[np.bool_]) -> Cells:
    """The same as `mask.nonzero()`, which is much slower in more than one dimension."""
    [flat] = mask.reshape(-1).nonzero()
    return np.unravel_index(flat, mask.shape)


class IndexAllocator:
    """Assigns each key an index: the last one released, else the lowest that was never used."""

    def __init__(self) -> None:
        self._index_by_key: dict[int, int] = {}
        self._free: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        """How many indices there are, in use or free."""
        return self._size

    def allocate(self, key: int) -> int:
        """The index of `key`, which is assigned one if it has none."""
        index = self._index_by_key.get(key)
        if index is None:
            index = self._free.pop() if self._free else self._size
            self._index_by_key[key] = index
            self._size = max(self._size, index + 1)
        return index

    def allocate_all(self, keys: list[int]) -> NDArray[np.intp]:
        """The indices (N,) of `keys`; usually all of them are known."""
        indices = list(map(self._index_by_key.get, keys))
        if None in indices:
            indices = list(map(self.allocate, keys))
        return np.array(indices, np.intp)

    def release(self, key: int) -> int | None:
        """Free the index of `key` and return it; None if it had none."""
        index = self._index_by_key.pop(key, None)
        if index is not None:
            self._free.append(index)
        return index


def find_runs(*columns: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row and the length of each run of rows that are equal in all `columns` (N,)."""
    size = len(columns[0])
    if not size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    [ends] = reduce(np.logical_or, [column[1:] != column[:-1] for column in columns]).nonzero()
    bounds = np.concatenate([[0], ends + 1, [size]])
    return bounds[:-1], bounds[1:] - bounds[:-1]


def double_capacity(array: NDArray[Any], fill: float, axis: int = 0) -> NDArray[Any]:
    """`array` with twice the capacity along `axis`; the new half is `fill`."""
    return np.concatenate([array, np.full_like(array, fill)], axis=axis)
