"""Whole tables to and from NumPy, in PostgreSQL's binary format.

Columns have a fixed width; NULL is NaN, `UNKNOWN_TIME` in a time, or what is masked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.postgres.binary_format import (
    POSTGRES_EPOCH_MICROS,
    TIMESTAMP,
    encode_copy,
    pack_expression,
    record_dtype,
)
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection, Cursor

    Columns = Mapping[str, NDArray[Any]]


def read_columns(
    conn: Connection, query: str, types: Mapping[str, str], values: Mapping[str, Any] | None = None
) -> dict[str, NDArray[Any]]:
    """The columns of `query`, which must yield `types` in this order and never NULL; -infinity is `UNKNOWN_TIME`.

    The server packs the rows into one value, because psycopg is slow per row. A value holds a gigabyte, some twenty
    million rows. The query is planned for these values: a generic plan does not know the number of rows and can be
    several times slower.
    """
    packed = pack_expression(types, {name: name for name in types})
    with conn.cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT string_agg({packed}, '') FROM ({query}) AS q ({', '.join(types)})", values, prepare=False
        )
        row = cursor.fetchone()
    dtype = record_dtype(types)
    records = np.frombuffer((row and row[0]) or b"", dtype)
    columns = {name: records[name].astype(dtype[name].newbyteorder("=")) for name in types}
    for name in (name for name, kind in types.items() if kind == TIMESTAMP):
        columns[name] = np.where(columns[name] == UNKNOWN_TIME, UNKNOWN_TIME, columns[name] + POSTGRES_EPOCH_MICROS)
    return columns


def write_columns(cursor: Cursor[Any], table: str, types: Mapping[str, str], columns: Columns) -> None:
    """Append rows to `table`; `columns` are in its types."""
    with cursor.copy(f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT binary)") as copy:
        for piece in encode_copy(types, columns):
            copy.write(piece)
