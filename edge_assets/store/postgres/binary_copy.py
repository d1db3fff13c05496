"""Ticks by binary COPY."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.postgres.binary_format import TIMESTAMP, encode_copy
from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Cursor

    from ml.quotes import Micros

    Int64s = NDArray[np.int64]

TICK_COLUMNS = "observed_at, book_time, poll_id, price, event_id, outcome_id, point, book_id, market_id"
COPY_TICKS = f"COPY {{table}} ({TICK_COLUMNS}) FROM STDIN (FORMAT binary)"
TICKS_TABLE = "odds_ticks"
TICK_TYPES = {
    "observed_at": TIMESTAMP, "book_time": TIMESTAMP, "poll_id": "i8", "price": "f8", "event": "i4", "outcome": "i4",
    "point": "f4", "book": "i2", "market": "i2",
}  # fmt: skip
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
    values = dict(zip(QUOTE_FIELDS, quotes.columns(), strict=True))
    yield from encode_copy(TICK_TYPES, values | {"observed_at": observed_at, "poll_id": poll_id}, NULLABLE_FIELDS)
