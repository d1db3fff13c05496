"""Which row of the matrix is which line's."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from ml.scoring.lines import LineKey

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_NONE = -1


class LineRows:
    """A row for every line on offer: `rows` by line and `keys` by row, None where a row is free.

    A line also has a *code*, one number instead of a key: some hundred lines are looked up at every poll.
    """

    def __init__(self) -> None:
        self.rows: dict[LineKey, int] = {}
        self.keys: list[LineKey | None] = []
        self._by_code: dict[int, int] = {}
        self._codes: list[int] = []
        self._of_event: dict[int, set[int]] = {}
        self._free: list[int] = []

    def by_code(self, codes: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row (N,) of each line, negative where there is none."""
        return np.fromiter(map(self._by_code.get, codes.tolist(), repeat(_NONE)), np.intp, len(codes))

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
        self._by_code[code], self._codes[row] = row, code
        self._of_event.setdefault(key.event, set()).add(row)
        return row

    def release(self, row: int) -> bool:
        """Free a row; return whether it was taken."""
        key = self.keys[row]
        if key is None:
            return False
        del self.rows[key], self._by_code[self._codes[row]]
        self.keys[row] = None
        rows = self._of_event[key.event]
        rows.discard(row)
        if not rows:
            del self._of_event[key.event]
        self._free.append(row)
        return True
