"""The axes of the matrix: the row of each line and the column of each book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.scoring.lines import LineKey

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_NO_ROW = -1
_NO_COLUMN = -1


class LineRows:
    """A row for every line on offer: `row_by_line`, and `line_by_row` with None where a row is free.

    A line also has a *code*, an integer that replaces its key, so that all lines that a poll changes are looked up in
    one vectorised search.
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
        """All codes in ascending order, and their rows, after a sentinel that no line has."""
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
        """Give a new line a row: a released one if there is any, else a new one."""
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
        """Free a row; return whether it was in use."""
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


class BookColumns:
    """A column for every book, sorted by their `ids` (B,), so that no result depends on the order of arrival."""

    def __init__(self) -> None:
        self.ids = np.empty(0, np.int64)
        self._column_by_id = np.full(1, _NO_COLUMN, np.intp)

    def add_missing(self, books: NDArray[np.int16]) -> NDArray[np.intp]:
        """Give a column to those of `books` that have none; return the positions, as in `np.insert`."""
        new = np.setdiff1d(books, self.ids)
        where = np.searchsorted(self.ids, new)
        self.ids = np.insert(self.ids, where, new)
        self._column_by_id = np.full(self.ids.max(initial=0) + 2, _NO_COLUMN, np.intp)
        self._column_by_id[self.ids] = range(len(self.ids))
        return where

    def columns_of(self, books: NDArray[np.int16]) -> NDArray[np.intp]:
        """The column (N,) of each of `books`, negative where it has none."""
        # a table is much faster than a search; its last entry is for all larger ids
        return self._column_by_id.take(books, mode="clip")
