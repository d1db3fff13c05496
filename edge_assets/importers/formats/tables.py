"""CSV files as columns of texts, numbers and times; invalid fields are rejected one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ReadOptions, read_csv

from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text
from edge_assets.importers.formats.batch import Rejection
from edge_assets.importers.formats.delimited import FETCH_REMEDY, read_rows
from edge_assets.importers.formats.notation import parse_number
from edge_assets.importers.formats.timestamps import parse_timestamps
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from edge_assets.importers.formats.batch import Rejections

BLOCK_BYTES = 16 << 20
"""Parsed at once; no row may be longer."""


@dataclass(frozen=True, slots=True, eq=False)
class CsvTable:
    """The rows of a file with as many fields as its header, as texts; `lines` (n,) are line numbers in the file."""

    file: str
    header: tuple[str, ...]
    columns: pa.Table
    lines: NDArray[np.int64]
    rejections: Rejections
    _encoded: dict[str, tuple[NDArray[np.int64], list[str]]] = field(init=False, default_factory=dict)
    _parsed_times: dict[str, NDArray[np.int64]] = field(init=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> list[str]:
        """A column as stripped text; empty strings if the file lacks the column."""
        codes, found = self.encode(name)
        return np.array(found, object)[codes].tolist() if len(self) else []

    def encode(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """A column as indices (n,) into its distinct texts, which are stripped and sorted."""
        if name not in self._encoded:
            self._encoded[name] = self._encode_column(name)
        return self._encoded[name]

    def map_values(self, name: str, values: Mapping[str, int], default: int) -> NDArray[np.int64]:
        """The values that the texts of a column map to (n,), or `default`."""
        codes, found = self.encode(name)
        return np.array([values.get(text, default) for text in found], np.int64)[codes]

    def parse_numbers(self, names: Sequence[str], parse: Callable[[str], float] = parse_number) -> NDArray[np.float64]:
        """Columns as finite numbers (n, k), NaN if missing; invalid numbers are rejected."""
        values = np.full((len(self), len(names)), np.nan)
        for i, name in enumerate(names):
            if name in self.header:
                values[:, i] = self._parse_column(name, parse)
        return values

    def parse_times(self, name: str) -> NDArray[np.int64]:
        """A column of ISO times as `Micros` (n,), `UNKNOWN_TIME` if missing; invalid times are rejected, once."""
        if name not in self._parsed_times:
            codes, found = self.encode(name)
            self._parsed_times[name] = parse_timestamps(found)[codes]
            malformed = (self._parsed_times[name] == UNKNOWN_TIME) & ~self._is_absent(name)
            self.reject("time_malformed", [name], malformed[:, None], "not a timestamp")
        return self._parsed_times[name]

    def require_times(self, names: Sequence[str]) -> Self:
        """The rows that have these times; the others are rejected."""
        rows = self
        for name in names:
            absent = rows._is_absent(name)
            rows.reject("time_missing", [name], absent[:, None], "a time is required")
            rows = rows.filter_rows(rows.parse_times(name) != UNKNOWN_TIME)
        return rows

    def require_storable(self, names: Sequence[str]) -> Self:
        """The rows whose texts in these columns are short enough for a name; the others are rejected."""
        rows = self
        for name in names:
            codes, found = rows.encode(name)
            too_long = np.array([len(text) > MAX_TEXT_LENGTH for text in found], bool)[codes]
            rows.reject("text_too_long", [name], too_long[:, None], f"more than {MAX_TEXT_LENGTH} characters")
            rows = rows.filter_rows(~too_long)
        return rows

    def require_names(self, names: Sequence[str]) -> Self:
        """The rows with storable texts in these columns; the others are rejected."""
        rows = self.require_storable(names)
        for name in names:
            absent = rows._is_absent(name)
            rows.reject("name_missing", [name], absent[:, None], "a name is required")
            rows = rows.filter_rows(~absent)
        return rows

    def drop_duplicates(self, name: str) -> Self:
        """One row for each text of a column; contradictory rows are all rejected."""
        codes, found = self.encode(name)
        if len(found) == len(self):
            return self
        rows = [tuple(row.values()) for row in self.columns.to_pylist()]
        first = dict(zip(codes[::-1].tolist(), range(len(self))[::-1], strict=True))
        repeated = np.array([first[code] != row for row, code in enumerate(codes.tolist())], bool)
        differing = {code for row, code in enumerate(codes.tolist()) if rows[row] != rows[first[code]]}
        contradicted = np.isin(codes, sorted(differing))
        self.reject("row_twice", [name], (repeated & ~contradicted)[:, None], "an identical row exists")
        self.reject("row_contradicted", [name], contradicted[:, None], "another row with this key differs")
        return self.filter_rows(~repeated & ~contradicted)

    def count_filled(self, name: str) -> int:
        """The number of non-empty fields of a column."""
        return len(self) - int(self.columns[name].null_count)

    def reject(self, reason: str, names: Sequence[str], where: NDArray[np.bool_], why: str) -> None:
        """Reject fields (n, k) of columns."""
        for row, i in np.argwhere(where).tolist():
            found = (self.columns[names[i]][row].as_py() or "") if names[i] in self.header else ""
            line = int(self.lines[row])
            self.rejections.add(
                Rejection(self.file, reason, f"{found!r}: {why}", FETCH_REMEDY, row=line, field=names[i])
            )

    def reject_at(self, row: int, reason: str, name: str, detail: str) -> None:
        """Reject a row, or one of its fields, pointing to the field with the problem."""
        self.rejections.add(Rejection(self.file, reason, detail, FETCH_REMEDY, row=int(self.lines[row]), field=name))

    def _encode_column(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        if name not in self.header:
            return np.zeros(len(self), np.int64), [""]
        column = pc.fill_null(self.columns[name].combine_chunks(), "").dictionary_encode()
        texts = np.array([_clean(text) for text in column.dictionary.to_pylist()], object)
        found, place = np.unique(texts, return_inverse=True)
        return place[column.indices.to_numpy()], found.tolist()

    def _parse_column(self, name: str, parse: Callable[[str], float]) -> NDArray[np.float64]:
        column = self.columns[name]
        numbers: NDArray[np.float64]
        try:
            numbers = pc.cast(column, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            codes, found = self.encode(name)
            numbers = np.array([parse(text) for text in found], np.float64)[codes]
        if np.count_nonzero(invalid := ~np.isfinite(numbers)) > column.null_count:
            self.reject("number_malformed", [name], (invalid & ~self._is_absent(name))[:, None], "not a number")
            numbers = np.where(invalid, np.nan, numbers)
        return numbers

    def _is_absent(self, name: str) -> NDArray[np.bool_]:
        return self.map_values(name, {"": True}, default=False).astype(bool)

    def filter_rows(self, keep: NDArray[np.bool_]) -> Self:
        """The rows that `keep` (n,) selects."""
        return self if keep.all() else replace(self, columns=self.columns.filter(keep), lines=self.lines[keep])


def read_table(file: str, content: bytes, required: Collection[str], rejections: Rejections) -> CsvTable:
    """Read the rows of a file that have as many fields as its header (see `read_rows`).

    Raises:
        RejectedFileError: the header is missing, lacks a required name or repeats one, or the encoding is unknown.
    """
    header, rows, lines = read_rows(file, content, required, rejections)
    return CsvTable(file, header, _parse_csv(rows, header), np.array(lines, np.int64), rejections)


def _parse_csv(rows: bytes, header: tuple[str, ...]) -> pa.Table:
    types = dict.fromkeys(header, pa.string())
    if not rows:
        return pa.schema(types).empty_table()
    return read_csv(
        pa.BufferReader(rows),
        ReadOptions(column_names=list(header), block_size=BLOCK_BYTES),
        convert_options=ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""]),
    )


def _clean(text: str) -> str:
    """Clean a text; empty if nothing is left; a too long one is only stripped."""
    try:
        return clean_text(text)
    except UnusableTextError as error:
        return "" if str(error) == "text_empty" else text.strip()
