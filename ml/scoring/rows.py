"""Which row of the matrix is which line's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.scoring.lines import LineKey

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_NONE = -1


class LineRows:
    """A row for every line on offer: `rows` by line and `keys` by row, None where a row is free.

    A line also has a *code*, one number instead of a key, so that the hundreds of lines that a poll changes are looked
    up at once.
    """

    def __init__(self) -> None:
        self.rows: dict[LineKey, int] = {}
        self.keys: list[LineKey | None] = []
        self._codes: list[int] = []
        self._sorted: tuple[NDArray[np.int64], NDArray[np.intp]] | None = None
        self._of_event: dict[int, set[int]] = {}
        self._free: list[int] = []

    def find(self, codes: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row (N,) of each line, negative where there is none."""
        known, rows = self._by_code()
        at = np.minimum(known.searchsorted(codes), len(known) - 1)
        return np.where(known[at] == codes, rows[at], _NONE)

    def _by_code(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The codes of all lines in order, and their rows; before them stands a code that no line has."""
        if self._sorted is None:
            rows = np.array(list(self.rows.values()), np.intp)
            codes = np.array(self._codes, np.int64)[rows]
            order = codes.argsort()
            self._sorted = np.concatenate([[_NONE], codes[order]]), np.concatenate([[_NONE], rows[order]])
        return self._sorted

    def of_event(self, event: int) -> Collection[int]:
        """The rows of an event's lines."""
        return self._of_event.get(event, ())

    def take(self, key: LineKey, code: int) -> int:
        """Give a new line a row: one that was released, or one more than there were."""
        if not self._free:
            self._free.append(len(self.keys))
            self.keys.append(None)
            self._codes.append(0)
        row = self._free.pop()
        self.rows[key], self.keys[row] = row, key
        self._codes[row], self._sorted = code, None
        self._of_event.setdefault(key.event, set()).add(row)
        return row

    def release(self, row: int) -> bool:
        """Free a row; return whether it was taken."""
        key = self.keys[row]
        if key is None:
            return False
        del self.rows[key]
        self.keys[row] = self._sorted = None
        rows = self._of_event[key.event]
        rows.discard(row)
        if not rows:
            del self._of_event[key.event]
        self._free.append(row)
        return True
