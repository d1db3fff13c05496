"""Delimited text as it comes: with marks and encodings of old, ragged rows, a second header, rows without an end."""

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

FETCH_REMEDY = "put it right, or fetch the file again"
BLANK_CHARACTERS = ", \t"
MAX_ROW_LENGTH = 100_000
"""Characters; the longest real row has 1,500, and the csv module takes no field of more than 131,072."""
BYTE_ORDER_MARKS = re.compile("(\ufeff|\u00ef\u00bb\u00bf)*")
"""The mark, and what a program makes of it that takes UTF-8 for Latin-1 and saves it again."""


BLANK_LINES = re.compile(rf"(?:[{BLANK_CHARACTERS}]*\r?\n)*")
"""Before the header, as a spreadsheet saves what stands above a table."""


class CsvRows(NamedTuple):
    """The rows under a header that are as wide as it, as CSV, and their lines (n,) in the file."""

    header: tuple[str, ...]
    content: bytes
    lines: Sequence[int]


def read_rows(file: str, content: bytes, required: Collection[str], rejections: Rejections) -> CsvRows:
    """The rows that are as wide as the header; empty rows and empty fields behind the last name do not count.

    A row of another width has lost or gained a field somewhere, and everything behind it means something else. So do
    all rows behind another header.

    Raises:
        RejectedFileError: there is no header, or it lacks a required name or has one twice, or it is no such text.
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
    """The text without byte order marks at its beginning, however many there are."""
    found = BYTE_ORDER_MARKS.match(text)
    return text[found.end() :] if found else text


def _is_utf16(content: bytes) -> bool:
    """With a mark, or with every other byte of the first eight zero."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return marked or bytes(4) in (content[:8:2], content[1:8:2])


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "\n".join(map(_decode_line, content.split(b"\n")))


def _decode_line(line: bytes) -> str:
    """Files that were put together have lines of either encoding."""
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
    """What to tell of a header that lacks names; one column alone has another separator than the comma."""
    [only] = header if len(header) == 1 else [""]
    if found := [name for sign, name in ((";", "semicolons"), ("\t", "tabs")) if sign in only]:
        detail, remedy = f"the header is separated by {found[0]}", "save it with commas and decimal points"
        return Rejection(file, "separator_unknown", detail, remedy, row=1)
    remedy = "give a file of this format, with its header"
    return Rejection(file, "columns_missing", ", ".join(missing) or "there is no header", remedy, row=1)


def _split_fields(row: str) -> list[str]:
    """The stripped fields, without the empty ones at the end."""
    fields = [field.strip() for field in next(csv.reader([row.rstrip("\r")]), [])]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _is_regular(rows: bytes, header: tuple[str, ...]) -> bool:
    """Whether every line has as many fields, none of them quoted, as the header, and something else in its first.

    NumPy finds that in a quarter of a second for 350,000 rows, for which a look at each takes two.
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
    """The rows of the header's width, with their lines."""
    kept, lines = [], []
    after_new_header = False
    for line, row in _iter_rows(body, first + 1):
        after_new_header = after_new_header or _is_another_header(row, header)
        try:
            kept.append(_fit_row(row, header, after_new_header=after_new_header))
            lines.append(line)
        except _RejectedRowError as problem:
            reason, detail = problem.args
            rejections.add(Rejection(file, reason, detail, FETCH_REMEDY, row=line))
    return "\n".join(kept).encode(), lines


def _iter_rows(body: str, first: int) -> Iterator[tuple[int, str]]:
    rows = body.replace("\r\n", "\n").split("\n")
    return ((line, row) for line, row in enumerate(rows, start=first) if row.strip(BLANK_CHARACTERS))


class _RejectedRowError(ValueError):
    """Why a row is not used: reason and detail."""


def _fit_row(row: str, header: tuple[str, ...], *, after_new_header: bool) -> str:
    """The row with as many fields as the header has names."""
    if after_new_header:
        raise _RejectedRowError("behind_another_header", "the names above it are not those of the first row")
    if len(row) > MAX_ROW_LENGTH:
        raise _RejectedRowError("row_too_long", f"{len(row):,} characters")
    if _is_header(row, header):
        raise _RejectedRowError("header_again", "the header is there twice")
    if '"' not in row and row.count(",") == len(header) - 1:
        return row
    fields = next(csv.reader([row]))
    if len(fields) < len(header) or any(fields[len(header) :]):
        raise _RejectedRowError("row_width", f"{len(fields)} fields under {len(header)} names")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[: len(header)])
    return text.getvalue()


def _is_header(row: str, header: tuple[str, ...]) -> bool:
    """A row whose first field is the name of the first column."""
    return (
        len(row) <= MAX_ROW_LENGTH and row.lstrip(' "').startswith(header[0]) and _split_fields(row)[:1] == [header[0]]
    )


def _is_another_header(row: str, header: tuple[str, ...]) -> bool:
    return _is_header(row, header) and tuple(_fill_names(_split_fields(row))) != header


def _fill_names(fields: Iterable[str]) -> Iterator[str]:
    """The names of columns; those without one are called by their place from 1 on."""
    return (name or f"column {place}" for place, name in enumerate(fields, start=1))
