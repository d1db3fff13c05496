"""CSV files as they come: of either encoding, with ragged rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ReadOptions, read_csv

from edge_assets.feeds.history.batch import Refusal, RefusedFileError
from edge_assets.feeds.history.stamps import micros_of
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from edge_assets.feeds.history.batch import Refusals

FETCH = "put it right, or fetch the file again"
BLOCK = 16 << 20
"""Bytes that are parsed at once; no row may be longer."""
BLANK = ", \t"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of a file that are as wide as its header, as texts; `lines` (n,) are theirs in the file."""

    file: str
    header: tuple[str, ...]
    columns: pa.Table
    lines: NDArray[np.int64]
    refused: Refusals
    _coded: dict[str, tuple[NDArray[np.int64], list[str]]] = field(init=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> list[str]:
        """A column as stripped text; empty where the file has no such column."""
        codes, found = self.coded(name)
        return np.array(found, object)[codes].tolist() if len(self) else []

    def coded(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """A column as indices (n,) of its different texts, which are stripped and sorted."""
        if name not in self._coded:
            self._coded[name] = self._encode(name)
        return self._coded[name]

    def mapped(self, name: str, meaning: Mapping[str, int], other: int) -> NDArray[np.int64]:
        """What the texts of a column stand for (n,), `other` where they stand for nothing."""
        codes, found = self.coded(name)
        return np.array([meaning.get(text, other) for text in found], np.int64)[codes]

    def numbers(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Columns as numbers (n, k), NaN where there is none; what is none is refused."""
        values = np.full((len(self), len(names)), np.nan)
        for i, name in enumerate(names):
            if name in self.header:
                values[:, i] = self._number(name)
        return values

    def times(self, name: str) -> NDArray[np.int64]:
        """A column of ISO times as `Micros` (n,), `UNKNOWN_TIME` where there is none; what is none is refused."""
        codes, found = self.coded(name)
        at = micros_of(found)
        malformed = (at == UNKNOWN_TIME)[codes] & ~self._absent(name)
        self.refuse("time_malformed", [name], malformed[:, None], "it is no time")
        return at[codes]

    def dated(self, names: Sequence[str]) -> Self:
        """The rows that have these times; the others are refused."""
        rows = self
        for name in names:
            absent = rows._absent(name)
            rows.refuse("time_missing", [name], absent[:, None], "a time is needed")
            rows = rows._where(rows.times(name) != UNKNOWN_TIME)
        return rows

    def names(self, column: str) -> list[str]:
        """A column that names the rows, as `texts`.

        Raises:
            RefusedFileError: two rows have one name.
        """
        texts = self.texts(column)
        if twice := [name for name, n in Counter(texts).items() if n > 1]:
            shown = ", ".join(twice[:3])
            raise RefusedFileError(Refusal(self.file, "row_twice", shown, "remove one of the two", field=column))
        return texts

    def filled(self, name: str) -> int:
        """How many fields of a column hold something."""
        return len(self) - int(self.columns[name].null_count)

    def refuse(self, reason: str, names: Sequence[str], where: NDArray[np.bool_], why: str) -> None:
        """Count the fields (n, k) of columns that are not used."""
        for row, i in np.argwhere(where).tolist():
            found = (self.columns[names[i]][row].as_py() or "") if names[i] in self.header else ""
            line = int(self.lines[row])
            self.refused.add(Refusal(self.file, reason, f"{found!r}: {why}", FETCH, row=line, field=names[i]))

    def refuse_row(self, row: int, reason: str, name: str, detail: str) -> None:
        """Count a row that is not used."""
        self.refused.add(Refusal(self.file, reason, detail, FETCH, row=int(self.lines[row]), field=name))

    def _encode(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        if name not in self.header:
            return np.zeros(len(self), np.int64), [""]
        column = pc.fill_null(self.columns[name].combine_chunks(), "").dictionary_encode()
        texts = np.array([text.strip() for text in column.dictionary.to_pylist()], object)
        found, place = np.unique(texts, return_inverse=True)
        return place[column.indices.to_numpy()], found.tolist()

    def _number(self, name: str) -> NDArray[np.float64]:
        column = self.columns[name]
        numbers: NDArray[np.float64]
        try:
            numbers = pc.cast(column, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            numbers = pd.to_numeric(pd.Series(self.texts(name)), errors="coerce").to_numpy(np.float64)
        if np.count_nonzero(nothing := np.isnan(numbers)) > column.null_count:
            self.refuse("number_malformed", [name], (nothing & ~self._absent(name))[:, None], "it is no number")
        return numbers

    def _absent(self, name: str) -> NDArray[np.bool_]:
        return self.mapped(name, {"": True}, other=False).astype(bool)

    def _where(self, keep: NDArray[np.bool_]) -> Self:
        return self if keep.all() else replace(self, columns=self.columns.filter(keep), lines=self.lines[keep])


def read_table(file: str, content: bytes, required: Collection[str], refused: Refusals) -> Table:
    """The rows that are as wide as the header; empty rows and empty fields behind the last name do not count.

    A row of another width has lost or gained a field somewhere, and everything behind it means something else.

    Raises:
        RefusedFileError: there is no header, or it lacks a required name or has one twice.
    """
    head, _, body = _text(content).partition("\n")
    header = _header(file, next(csv.reader([head.rstrip("\r")]), []), required)
    rows = body.encode()
    lines: Sequence[int] = range(2, 2 + body.count("\n") + (not body.endswith("\n")))
    if not _is_regular(rows, len(header)):
        rows, lines = _fitting(file, body, len(header), refused)
    return Table(file, header, _parsed(rows, header), np.array(lines, np.int64), refused)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return text if text.count("\r") == text.count("\r\n") else text.replace("\r\n", "\n").replace("\r", "\n")


def _is_regular(rows: bytes, width: int) -> bool:
    """Whether every line has as many fields, none of them quoted, as the header, and something in its first.

    NumPy finds that in a quarter of a second for 350,000 rows, for which a look at each takes two.
    """
    bytes_ = np.frombuffer(rows, np.uint8)
    commas, ends = (np.flatnonzero(bytes_ == ord(char)) for char in ",\n")
    if rows and not rows.endswith(b"\n"):
        ends = np.append(ends, len(rows))
    if b'"' in rows or width == 1 or not len(ends) or len(commas) != len(ends) * (width - 1):
        return False
    first, last = commas[:: width - 1], commas[width - 2 :: width - 1]
    starts = np.append(0, ends[:-1] + 1)
    return bool(np.all((starts <= first) & (last < ends) & ~np.isin(bytes_[starts], [*BLANK.encode()])))


def _fitting(file: str, body: str, width: int, refused: Refusals) -> tuple[bytes, list[int]]:
    """The rows of that width, with their lines."""
    kept, lines = [], []
    for line, row in _rows(body):
        fitting = _fitted(row, width)
        if fitting is not None:
            kept.append(fitting)
            lines.append(line)
        else:
            refused.add(_width(file, line, row, width))
    return "\n".join(kept).encode(), lines


def _rows(body: str) -> Iterator[tuple[int, str]]:
    rows = body.replace("\r\n", "\n").split("\n")
    return ((line, row) for line, row in enumerate(rows, start=2) if row.strip(BLANK))


def _fitted(row: str, width: int) -> str | None:
    """The row with as many fields as the header has names; None if it has more, or fewer."""
    if '"' not in row and row.count(",") == width - 1:
        return row
    fields = next(csv.reader([row]))
    if len(fields) < width or any(fields[width:]):
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[:width])
    return text.getvalue()


def _width(file: str, line: int, row: str, width: int) -> Refusal:
    return Refusal(file, "row_width", f"{len(next(csv.reader([row])))} fields under {width} names", FETCH, row=line)


def _parsed(rows: bytes, header: tuple[str, ...]) -> pa.Table:
    types = dict.fromkeys(header, pa.string())
    if not rows:
        return pa.schema(types).empty_table()
    return read_csv(
        pa.BufferReader(rows),
        ReadOptions(column_names=list(header), block_size=BLOCK),
        convert_options=ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def _header(file: str, names: list[str], required: Collection[str]) -> tuple[str, ...]:
    header = [name.strip() for name in names]
    while header and not header[-1]:
        header.pop()
    if missing := [name for name in required if name not in header]:
        remedy = "give a file of this format, with its header"
        raise RefusedFileError(Refusal(file, "columns_missing", ", ".join(missing), remedy, row=1))
    if twice := {name for name in header if header.count(name) > 1}:
        remedy = "rename or remove one of the two"
        raise RefusedFileError(Refusal(file, "column_twice", ", ".join(sorted(twice)), remedy, row=1))
    return tuple(header)
