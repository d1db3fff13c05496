"""Ticks as PostgreSQL's binary COPY format, built by NumPy.

A tuple costs 2 bytes of field count and 4 bytes of length per field; NULL is a length of -1 without data, so
rows with the same NULLs have the same size and become one structured array (order within a poll means nothing).
Format: https://www.postgresql.org/docs/current/sql-copy.html (binary format).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Cursor

    from ml.quotes import Micros, QuoteBatch

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
COPY_TICKS = """
COPY odds_ticks (observed_at, book_time, poll_id, price, event_id, outcome_id, point, book_id, market_id)
FROM STDIN (FORMAT binary)
"""
POSTGRES_EPOCH: Micros = 946_684_800_000_000
"""2000-01-01 UTC, from which PostgreSQL counts."""
FIELDS = (
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
NULLABLE = ("book_time", "price", "point")


def copy_ticks(cursor: Cursor[Any], quotes: QuoteBatch, observed_at: Micros, poll_id: int) -> None:
    """Append `quotes` as ticks of one poll."""
    if not len(quotes):
        return
    with cursor.copy(COPY_TICKS) as copy:
        copy.write(binary_ticks(quotes, observed_at, poll_id))


def binary_ticks(quotes: QuoteBatch, observed_at: Micros, poll_id: int) -> bytes:
    """The whole COPY stream for `quotes`, header and trailer included."""
    return b"".join([HEADER, *_groups(quotes, observed_at, poll_id), TRAILER])


def _groups(quotes: QuoteBatch, observed_at: Micros, poll_id: int) -> Iterator[bytes]:
    nulls = np.stack(
        [quotes.book_time == UNKNOWN_TIME, np.isnan(quotes.price), np.isnan(quotes.point)], axis=1
    )
    patterns = nulls @ np.array([4, 2, 1])
    for pattern in np.unique(patterns):
        rows = quotes.take(patterns == pattern)
        absent = {name for name, bit in zip(NULLABLE, (4, 2, 1), strict=True) if pattern & bit}
        values = {
            "observed_at": observed_at - POSTGRES_EPOCH,
            "book_time": rows.book_time - POSTGRES_EPOCH,
            "poll_id": poll_id,
            "price": rows.price,
            "event": rows.event,
            "outcome": rows.outcome,
            "point": rows.point,
            "book": rows.book,
            "market": rows.market,
        }
        yield _records(len(rows), values, absent).tobytes()


def _records(n: int, values: dict[str, Any], absent: set[str]) -> NDArray[np.void]:
    dtype: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in FIELDS:
        dtype.append((f"{name}_length", ">i4"))
        if name not in absent:
            dtype.append((name, kind))
    records = np.empty(n, dtype)
    records["fields"] = len(FIELDS)
    for name, kind in FIELDS:
        records[f"{name}_length"] = -1 if name in absent else np.dtype(kind).itemsize
        if name not in absent:
            records[name] = values[name]
    return records
