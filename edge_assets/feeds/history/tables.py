"""CSV files as columns of texts, numbers and times; what of a column is none is refused, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ReadOptions, read_csv

from edge_assets.feeds.history.batch import Refusal
from edge_assets.feeds.history.delimited import FETCH, read_rows
from edge_assets.feeds.history.notation import as_number
from edge_assets.feeds.history.stamps import micros_of
from edge_assets.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from edge_assets.feeds.history.batch import Refusals

BLOCK = 16 << 20
"""Bytes that are parsed at once; no row is longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of a file that are as wide as its header, as texts; `lines` (n,) are theirs in the file."""

    file: str
    header: tuple[str, ...]
    columns: pa.Table
    lines: NDArray[np.int64]
    refused: Refusals
    _coded: dict[str, tuple[NDArray[np.int64], list[str]]] = field(init=False, default_factory=dict)
    _timed: dict[str, NDArray[np.int64]] = field(init=False, default_factory=dict)

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

    def numbers(self, names: Sequence[str], parse: Callable[[str], float] = as_number) -> NDArray[np.float64]:
        """Columns as finite numbers (n, k), NaN where there is none; what is none is refused."""
        values = np.full((len(self), len(names)), np.nan)
        for i, name in enumerate(names):
            if name in self.header:
                values[:, i] = self._number(name, parse)
        return values

    def times(self, name: str) -> NDArray[np.int64]:
        """A column of ISO times as `Micros` (n,), `UNKNOWN_TIME` where there is none; what is none is refused, once."""
        if name not in self._timed:
            codes, found = self.coded(name)
            self._timed[name] = micros_of(found)[codes]
            malformed = (self._timed[name] == UNKNOWN_TIME) & ~self._absent(name)
            self.refuse("time_malformed", [name], malformed[:, None], "it is no time")
        return self._timed[name]

    def dated(self, names: Sequence[str]) -> Self:
        """The rows that have these times; the others are refused."""
        rows = self
        for name in names:
            absent = rows._absent(name)
            rows.refuse("time_missing", [name], absent[:, None], "a time is needed")
            rows = rows.where(rows.times(name) != UNKNOWN_TIME)
        return rows

    def storable(self, names: Sequence[str]) -> Self:
        """The rows whose texts under these names are not too long for a name; the others are refused."""
        rows = self
        for name in names:
            codes, found = rows.coded(name)
            too_long = np.array([len(text) > MAX_TEXT_LENGTH for text in found], bool)[codes]
            rows.refuse("text_too_long", [name], too_long[:, None], f"more than {MAX_TEXT_LENGTH} characters")
            rows = rows.where(~too_long)
        return rows

    def named(self, names: Sequence[str]) -> Self:
        """The rows that have storable texts under these names; the others are refused."""
        rows = self.storable(names)
        for name in names:
            absent = rows._absent(name)
            rows.refuse("name_missing", [name], absent[:, None], "a name is needed")
            rows = rows.where(~absent)
        return rows

    def unique(self, name: str) -> Self:
        """One row for each text of a column; of rows that contradict each other, none."""
        codes, found = self.coded(name)
        if len(found) == len(self):
            return self
        rows = [tuple(row.values()) for row in self.columns.to_pylist()]
        first = dict(zip(codes[::-1].tolist(), range(len(self))[::-1], strict=True))
        again = np.array([first[code] != row for row, code in enumerate(codes.tolist())], bool)
        differing = {code for row, code in enumerate(codes.tolist()) if rows[row] != rows[first[code]]}
        contradicted = np.isin(codes, sorted(differing))
        self.refuse("row_twice", [name], (again & ~contradicted)[:, None], "the same row is there already")
        self.refuse("row_contradicted", [name], contradicted[:, None], "another row of the name says something else")
        return self.where(~again & ~contradicted)

    def filled(self, name: str) -> int:
        """How many fields of a column hold something."""
        return len(self) - int(self.columns[name].null_count)

    def refuse(self, reason: str, names: Sequence[str], where: NDArray[np.bool_], why: str) -> None:
        """Count the fields (n, k) of columns that are not used."""
        for row, i in np.argwhere(where).tolist():
            found = (self.columns[names[i]][row].as_py() or "") if names[i] in self.header else ""
            line = int(self.lines[row])
            self.refused.add(Refusal(self.file, reason, f"{found!r}: {why}", FETCH, row=line, field=names[i]))

    def refuse_at(self, row: int, reason: str, name: str, detail: str) -> None:
        """Count a row that is not used, or one field of it, by where the reason stands."""
        self.refused.add(Refusal(self.file, reason, detail, FETCH, row=int(self.lines[row]), field=name))

    def _encode(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        if name not in self.header:
            return np.zeros(len(self), np.int64), [""]
        column = pc.fill_null(self.columns[name].combine_chunks(), "").dictionary_encode()
        texts = np.array([_cleaned(text) for text in column.dictionary.to_pylist()], object)
        found, place = np.unique(texts, return_inverse=True)
        return place[column.indices.to_numpy()], found.tolist()

    def _number(self, name: str, parse: Callable[[str], float]) -> NDArray[np.float64]:
        column = self.columns[name]
        numbers: NDArray[np.float64]
        try:
            numbers = pc.cast(column, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            codes, found = self.coded(name)
            numbers = np.array([parse(text) for text in found], np.float64)[codes]
        if np.count_nonzero(nothing := ~np.isfinite(numbers)) > column.null_count:
            self.refuse("number_malformed", [name], (nothing & ~self._absent(name))[:, None], "it is no number")
            numbers = np.where(nothing, np.nan, numbers)
        return numbers

    def _absent(self, name: str) -> NDArray[np.bool_]:
        return self.mapped(name, {"": True}, other=False).astype(bool)

    def where(self, keep: NDArray[np.bool_]) -> Self:
        """The rows that `keep` (n,) selects."""
        return self if keep.all() else replace(self, columns=self.columns.filter(keep), lines=self.lines[keep])


def read_table(file: str, content: bytes, required: Collection[str], refused: Refusals) -> Table:
    """The rows of a file that are as wide as its header, as `read_rows` finds them.

    Raises:
        RefusedFileError: there is no header, or it lacks a required name or has one twice, or it is no such text.
    """
    header, rows, lines = read_rows(file, content, required, refused)
    return Table(file, header, _parsed(rows, header), np.array(lines, np.int64), refused)


def _parsed(rows: bytes, header: tuple[str, ...]) -> pa.Table:
    types = dict.fromkeys(header, pa.string())
    if not rows:
        return pa.schema(types).empty_table()
    return read_csv(
        pa.BufferReader(rows),
        ReadOptions(column_names=list(header), block_size=BLOCK),
        convert_options=ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def _cleaned(text: str) -> str:
    """A text as `clean_text` has it, empty if nothing is left; one that is too long as it is."""
    try:
        return clean_text(text)
    except UnusableTextError as error:
        return "" if str(error) == "text_empty" else text.strip()
