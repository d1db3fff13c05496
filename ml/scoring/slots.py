"""Small numbers for what comes and goes."""

from __future__ import annotations

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

    def release(self, name: int) -> int | None:
        """Free the number of `name` and tell which it was."""
        slot = self._taken.pop(name, None)
        if slot is not None:
            self._free.append(slot)
        return slot


def runs(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each run of equal `values` (N,) begins, and how long it is."""
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if values.size else np.empty(0, np.intp)
    return first, np.diff(first, append=len(values))
