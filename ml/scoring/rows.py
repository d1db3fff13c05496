"""The axes of the matrix: which row is which line's, and which column is which book's."""

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


class BookColumns:
    """A column for every book, in the order of their `ids` (B,): so nothing depends on who came first."""

    def __init__(self) -> None:
        self.ids = np.empty(0, np.int64)
        self._column_by_id = np.full(1, _NO_COLUMN, np.intp)

    def add_missing(self, books: NDArray[np.int16]) -> NDArray[np.intp]:
        """Give those of `books` that have none a column; return where, as `np.insert` counts."""
        new = np.setdiff1d(books, self.ids)
        where = np.searchsorted(self.ids, new)
        self.ids = np.insert(self.ids, where, new)
        self._column_by_id = np.full(self.ids.max(initial=0) + 2, _NO_COLUMN, np.intp)
        self._column_by_id[self.ids] = range(len(self.ids))
        return where

    def columns_of(self, books: NDArray[np.int16]) -> NDArray[np.intp]:
        """The column (N,) of each of `books`, negative for one that has none."""
        # a table by id: 20 times as fast as a search; its last entry stands for all ids beyond
        return self._column_by_id.take(books, mode="clip")
