"""Small numbers for what comes and goes, and arrays that grow with them."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Slots:
    """Gives each name the lowest number that was never taken, or the last one released."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}
        self._free: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        """How many numbers there are, taken or free."""
        return self._size

    def take(self, name: int) -> int:
        """The number of `name`."""
        slot = self._taken.get(name)
        if slot is None:
            slot = self._free.pop() if self._free else self._size
            self._taken[name] = slot
            self._size = max(self._size, slot + 1)
        return slot

    def take_all(self, names: list[int]) -> NDArray[np.intp]:
        """The numbers (N,) of `names`; mostly all are known."""
        slots = list(map(self._taken.get, names))
        if None in slots:
            slots = list(map(self.take, names))
        return np.array(slots, np.intp)

    def release(self, name: int) -> int | None:
        """Free the number of `name` and tell which it was."""
        slot = self._taken.pop(name, None)
        if slot is not None:
            self._free.append(slot)
        return slot


def runs(*columns: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each run of rows that are equal in all `columns` (N,) begins, and how long it is."""
    size = len(columns[0])
    if not size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    [ends] = reduce(np.logical_or, [column[1:] != column[:-1] for column in columns]).nonzero()
    bounds = np.concatenate([[0], ends + 1, [size]])
    return bounds[:-1], bounds[1:] - bounds[:-1]


def grown(array: NDArray[Any], fill: float, axis: int = 0) -> NDArray[Any]:
    """`array` with twice as much room along `axis`."""
    return np.concatenate([array, np.full_like(array, fill)], axis=axis)
