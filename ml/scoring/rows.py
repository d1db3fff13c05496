"""Which row of the matrix is which line's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.scoring.lines import LineKey

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_NO_ROW = -1


class LineRows:
    """A row for every line on offer: `rows` by line and `line_by_row` by row, None where a row is free.

    A line also has a *code*, one number instead of a key, so that the hundreds of lines that a poll changes are looked
    up at once.
    """

    def __init__(self) -> None:
        self.row_by_line: dict[LineKey, int] = {}
        self.line_by_row: list[LineKey | None] = []
        self._codes: list[int] = []
        self._sorted: tuple[NDArray[np.int64], NDArray[np.intp]] | None = None
        self._rows_by_event: dict[int, set[int]] = {}
        self._free: list[int] = []

    def find(self, codes: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row (N,) of each line, negative where there is none."""
        known, rows = self._sorted_codes()
        at = np.minimum(known.searchsorted(codes), len(known) - 1)
        return np.where(known[at] == codes, rows[at], _NO_ROW)

    def _sorted_codes(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The codes of all lines in order, and their rows; before them stands a code that no line has."""
        if self._sorted is None:
            rows = np.array(list(self.row_by_line.values()), np.intp)
            codes = np.array(self._codes, np.int64)[rows]
            order = codes.argsort()
            self._sorted = np.concatenate([[_NO_ROW], codes[order]]), np.concatenate([[_NO_ROW], rows[order]])
        return self._sorted

    def rows_of_event(self, event: int) -> Collection[int]:
        """The rows of an event's lines."""
        return self._rows_by_event.get(event, ())

    def allocate(self, key: LineKey, code: int) -> int:
        """Give a new line a row: one that was released, or one more than there were."""
        if not self._free:
            self._free.append(len(self.line_by_row))
            self.line_by_row.append(None)
            self._codes.append(0)
        row = self._free.pop()
        self.row_by_line[key], self.line_by_row[row] = row, key
        self._codes[row], self._sorted = code, None
        self._rows_by_event.setdefault(key.event, set()).add(row)
        return row

    def release(self, row: int) -> bool:
        """Free a row; return whether it was taken."""
        key = self.line_by_row[row]
        if key is None:
            return False
        del self.row_by_line[key]
        self.line_by_row[row] = self._sorted = None
        rows = self._rows_by_event[key.event]
        rows.discard(row)
        if not rows:
            del self._rows_by_event[key.event]
        self._free.append(row)
        return True
