"""Read real-world CSV: byte order marks, old encodings, ragged rows, repeated headers, endless rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.importers.formats.batch import RejectedFileError, Rejection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from edge_assets.importers.formats.batch import Rejections

FETCH_REMEDY = "fix the file, or fetch it again"
BLANK_CHARACTERS = ", \t"
MAX_ROW_LENGTH = 100_000
"""Characters; the longest real row has 1,500, and the csv module limits fields to 131,072."""
BYTE_ORDER_MARKS = re.compile("(\ufeff|\u00ef\u00bb\u00bf)*")
"""The mark, also as UTF-8 misread as Latin-1 and saved again."""


BLANK_LINES = re.compile(rf"(?:[{BLANK_CHARACTERS}]*\r?\n)*")
"""Before the header, as spreadsheets save empty rows above a table."""


class CsvRows(NamedTuple):
    """The rows with as many fields as the header, as CSV, and their line numbers (n,) in the file."""

    header: tuple[str, ...]
    content: bytes
    lines: Sequence[int]


def read_rows(file: str, content: bytes, required: Collection[str], rejections: Rejections) -> CsvRows:
    """The rows with as many fields as the header; empty rows, and empty fields after the last name, are ignored.

    A row of another width has lost or gained a field, so its later fields are in the wrong columns. All rows after a
    different header are rejected too.

    Raises:
        RejectedFileError: the header is missing, lacks a required name or repeats one, or the encoding is unknown.
    """
    text = _decode_text(file, content)
    blank = BLANK_LINES.match(text)
    first = 1 + (blank[0].count("\n") if blank else 0)
    head, _, body = text[blank.end() if blank else 0 :].partition("\n")
    header = _parse_header(file, head, required)
    rows = body.encode()
    if _is_regular(rows, header):
        return CsvRows(header, rows, range(first + 1, first + 1 + body.count("\n") + (not body.endswith("\n"))))
    return CsvRows(header, *_select_fitting_rows(file, body, header, rejections, first))


def _decode_text(file: str, content: bytes) -> str:
    if _is_utf16(content):
        remedy = "save it as CSV in UTF-8"
        raise RejectedFileError(Rejection(file, "encoding_unknown", "the file is UTF-16", remedy, row=1))
    text = strip_byte_order_marks(_decode(content))
    return text if text.count("\r") == text.count("\r\n") else text.replace("\r\n", "\n").replace("\r", "\n")


def strip_byte_order_marks(text: str) -> str:
    """The text without any byte order marks at its start."""
    found = BYTE_ORDER_MARKS.match(text)
    return text[found.end() :] if found else text


def _is_utf16(content: bytes) -> bool:
    """Whether there is a UTF-16 mark, or every other one of the first eight bytes is zero."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return marked or bytes(4) in (content[:8:2], content[1:8:2])


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "\n".join(map(_decode_line, content.split(b"\n")))


def _decode_line(line: bytes) -> str:
    """Decode line by line: concatenated files mix encodings."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _parse_header(file: str, head: str, required: Collection[str]) -> tuple[str, ...]:
    if len(head) > MAX_ROW_LENGTH:
        detail = f"a header of {len(head):,} characters"
        raise RejectedFileError(Rejection(file, "row_too_long", detail, FETCH_REMEDY, row=1))
    header = _split_fields(head)
    missing = [name for name in required if name not in header]
    if missing or not header:
        raise RejectedFileError(reject_missing_columns(file, header, missing))
    if duplicates := {name for name in header if name and header.count(name) > 1}:
        remedy = "rename or remove one of the two"
        raise RejectedFileError(Rejection(file, "column_twice", ", ".join(sorted(duplicates)), remedy, row=1))
    return tuple(_fill_names(header))


def reject_missing_columns(file: str, header: Collection[str], missing: Sequence[str]) -> Rejection:
    """The rejection of a header that lacks names; a single column suggests another separator."""
    [only] = header if len(header) == 1 else [""]
    if found := [name for sign, name in ((";", "semicolons"), ("\t", "tabs")) if sign in only]:
        detail, remedy = f"the header uses {found[0]} as separator", "save it with commas, and points for decimals"
        return Rejection(file, "separator_unknown", detail, remedy, row=1)
    remedy = "use a file of this format, with its header"
    return Rejection(file, "columns_missing", ", ".join(missing) or "there is no header", remedy, row=1)


def _split_fields(row: str) -> list[str]:
    """The stripped fields without trailing empty ones."""
    fields = [field.strip() for field in next(csv.reader([row.rstrip("\r")]), [])]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _is_regular(rows: bytes, header: tuple[str, ...]) -> bool:
    """Whether every line has as many fields as the header, none is quoted, and no line repeats the header.

    Vectorized, as checking row by row is much slower for files of 350,000 rows.
    """
    width, repeated_header = len(header), f"{header[0]},".encode()
    bytes_ = np.frombuffer(rows, np.uint8)
    commas, ends = (np.flatnonzero(bytes_ == ord(char)) for char in ",\n")
    if rows and not rows.endswith(b"\n"):
        ends = np.append(ends, len(rows))
    if b'"' in rows or width == 1 or not len(ends) or len(commas) != len(ends) * (width - 1):
        return False
    first, last = commas[:: width - 1], commas[width - 2 :: width - 1]
    starts = np.append(0, ends[:-1] + 1)
    if rows.startswith(repeated_header) or b"\n" + repeated_header in rows or np.max(ends - starts) > MAX_ROW_LENGTH:
        return False
    return bool(np.all((starts <= first) & (last < ends) & ~np.isin(bytes_[starts], [*BLANK_CHARACTERS.encode()])))


def _select_fitting_rows(
    file: str, body: str, header: tuple[str, ...], rejections: Rejections, first: int
) -> tuple[bytes, list[int]]:
    """The rows with as many fields as the header, with their line numbers."""
    kept, lines = [], []
    after_new_header = False
    for line, row in _iter_rows(body, first + 1):
        after_new_header = after_new_header or _is_another_header(row, header)
        try:
            kept.append(_fit_row(row, header, after_new_header=after_new_header))
            lines.append(line)
        except _RejectedRowError as error:
            reason, detail = error.args
            rejections.add(Rejection(file, reason, detail, FETCH_REMEDY, row=line))
    return "\n".join(kept).encode(), lines


def _iter_rows(body: str, first: int) -> Iterator[tuple[int, str]]:
    rows = body.replace("\r\n", "\n").split("\n")
    return ((line, row) for line, row in enumerate(rows, start=first) if row.strip(BLANK_CHARACTERS))


class _RejectedRowError(ValueError):
    """A row is rejected; the arguments are reason and detail."""


def _fit_row(row: str, header: tuple[str, ...], *, after_new_header: bool) -> str:
    """The row, trimmed to the fields of the header."""
    if after_new_header:
        raise _RejectedRowError("behind_another_header", "the header above it differs from the first one")
    if len(row) > MAX_ROW_LENGTH:
        raise _RejectedRowError("row_too_long", f"{len(row):,} characters")
    if _is_header(row, header):
        raise _RejectedRowError("header_again", "the header appears twice")
    if '"' not in row and row.count(",") == len(header) - 1:
        return row
    fields = next(csv.reader([row]))
    if len(fields) < len(header) or any(fields[len(header) :]):
        raise _RejectedRowError("row_width", f"{len(fields)} fields under {len(header)} names")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[: len(header)])
    return text.getvalue()


def _is_header(row: str, header: tuple[str, ...]) -> bool:
    """Whether the first field is the name of the first column."""
    return (
        len(row) <= MAX_ROW_LENGTH and row.lstrip(' "').startswith(header[0]) and _split_fields(row)[:1] == [header[0]]
    )


def _is_another_header(row: str, header: tuple[str, ...]) -> bool:
    return _is_header(row, header) and tuple(_fill_names(_split_fields(row))) != header


def _fill_names(fields: Iterable[str]) -> Iterator[str]:
    """Column names; unnamed columns are numbered from 1."""
    return (name or f"column {place}" for place, name in enumerate(fields, start=1))
