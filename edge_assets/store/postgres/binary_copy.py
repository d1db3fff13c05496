"""Ticks as PostgreSQL's binary COPY format, built by NumPy.

A tuple costs 2 bytes of field count and 4 bytes of length per field; NULL is a length of -1 without data, so
rows with the same NULLs have the same size and become one structured array (the order of ticks means nothing).
Format: https://www.postgresql.org/docs/current/sql-copy.html (binary format).
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import UNKNOWN_TIME, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Cursor

    from ml.quotes import Micros

    Int64s = NDArray[np.int64]

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"
TICK_COLUMNS = "observed_at, book_time, poll_id, price, event_id, outcome_id, point, book_id, market_id"
COPY_TICKS = f"COPY {{table}} ({TICK_COLUMNS}) FROM STDIN (FORMAT binary)"
TICKS_TABLE = "odds_ticks"
POSTGRES_EPOCH_MICROS: Micros = 946_684_800_000_000
"""2000-01-01 UTC, from which PostgreSQL counts."""
TICK_FIELDS = (
    ("observed_at", ">i8"),
    ("book_time", ">i8"),
    ("poll_id", ">i8"),
    ("price", ">f8"),
    ("event", ">i4"),
    ("outcome", ">i4"),
    ("point", ">f4"),
    ("book", ">i2"),
    ("market", ">i2"),
)
QUOTE_FIELDS = tuple(column.name for column in fields(QuoteBatch))
NULLABLE_FIELDS = ("book_time", "price", "point")


def copy_ticks(
    cursor: Cursor[Any],
    quotes: QuoteBatch,
    observed_at: Micros | Int64s,
    poll_id: int | Int64s,
    table: str = TICKS_TABLE,
) -> None:
    """Append `quotes` as ticks of one poll, or of one poll each: then moment and poll are arrays (n,).

    `table` may be a partition to which all of them belong.
    """
    if not len(quotes):
        return
    with cursor.copy(COPY_TICKS.format(table=table)) as copy:
        # piece by piece: the server stores the first rows while the next are built
        for piece in encode_ticks(quotes, observed_at, poll_id):
            copy.write(piece)


def encode_ticks(quotes: QuoteBatch, observed_at: Micros | Int64s, poll_id: int | Int64s) -> Iterator[bytes]:
    """The COPY stream for `quotes`: header, one piece for each pattern of NULLs, trailer."""
    yield COPY_HEADER
    nulls = (quotes.book_time == UNKNOWN_TIME, np.isnan(quotes.price), np.isnan(quotes.point))
    patterns = sum(is_null.astype(np.int8) << bit for bit, is_null in enumerate(nulls))
    values = dict(zip(QUOTE_FIELDS, quotes.columns(), strict=True))
    values["book_time"] = quotes.book_time - POSTGRES_EPOCH_MICROS
    poll_columns = {"observed_at": observed_at - POSTGRES_EPOCH_MICROS, "poll_id": poll_id}
    values |= {name: value for name, value in poll_columns.items() if isinstance(value, np.ndarray)}
    for pattern in np.unique(patterns).tolist():
        row = _blank_tick(pattern).copy()
        for name in poll_columns.keys() - values.keys():
            row[name] = poll_columns[name]
        index = np.flatnonzero(patterns == pattern)
        records = np.full(len(index), row)
        for name in values.keys() & set(records.dtype.names or ()):
            records[name] = values[name][index]
        yield records.tobytes()
    yield COPY_TRAILER


@cache
def _blank_tick(pattern: int) -> NDArray[np.void]:
    """A row with the NULLs of `pattern`, without its values."""
    return blank_row(TICK_FIELDS, frozenset(name for bit, name in enumerate(NULLABLE_FIELDS) if pattern >> bit & 1))


@cache
def blank_row(layout: tuple[tuple[str, str], ...], absent: frozenset[str]) -> NDArray[np.void]:
    """A row with the fields of `layout`, those in `absent` NULL, without its values."""
    dtype: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in layout:
        dtype += [(f"{name}_length", ">i4")] + [(name, kind)] * (name not in absent)
    blank = np.zeros((), dtype)
    blank["fields"] = len(layout)
    for name, kind in layout:
        blank[f"{name}_length"] = -1 if name in absent else np.dtype(kind).itemsize
    return blank
