"""Small numbers for what comes and goes, and arrays that grow with them."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
