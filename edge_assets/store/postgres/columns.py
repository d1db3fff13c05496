"""Whole tables to and from NumPy, in PostgreSQL's binary format.

Columns have a fixed width; NULL is NaN, `UNKNOWN_TIME` in a time, or what is masked. In a COPY a field costs 4 bytes
of length, so rows with the same NULLs have the same size and are one structured array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.postgres.binary_copy import COPY_HEADER, COPY_TRAILER, POSTGRES_EPOCH_MICROS
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from psycopg import Connection, Cursor

    Columns = Mapping[str, NDArray[Any]]

TIMESTAMP = "time"
"""The type of a column of `Micros`, in the place of a NumPy type."""
POSTGRES_TYPES = {
    "i2": "int2",
    "i4": "int4",
    "i8": "int8",
    "f4": "float4",
    "f8": "float8",
    "?": "bool",
    TIMESTAMP: "timestamptz",
}
SEND_FUNCTIONS = {kind: f"{name}send" for kind, name in POSTGRES_TYPES.items()} | {TIMESTAMP: "timestamptz_send"}


def read_columns(
    conn: Connection, query: str, types: Mapping[str, str], values: Mapping[str, Any] | None = None
) -> dict[str, NDArray[Any]]:
    """The columns of `query`, which must yield `types` in this order and never NULL; -infinity is `UNKNOWN_TIME`.

    The server packs the rows into one value, because psycopg is slow per row. A value holds a gigabyte, some twenty
    million rows. The query is planned for these values: a generic plan does not know the number of rows and can be
    several times slower.
    """
    packed = " || ".join(f"{SEND_FUNCTIONS[kind]}({name}::{POSTGRES_TYPES[kind]})" for name, kind in types.items())
    with conn.cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT string_agg({packed}, '') FROM ({query}) AS q ({', '.join(types)})", values, prepare=False
        )
        row = cursor.fetchone()
    dtype = np.dtype([(name, ">i8" if kind == TIMESTAMP else f">{kind}") for name, kind in types.items()])
    records = np.frombuffer((row and row[0]) or b"", dtype)
    columns = {name: records[name].astype(dtype[name].newbyteorder("=")) for name in types}
    for name in (name for name, kind in types.items() if kind == TIMESTAMP):
        columns[name] = np.where(columns[name] == UNKNOWN_TIME, UNKNOWN_TIME, columns[name] + POSTGRES_EPOCH_MICROS)
    return columns


def write_columns(cursor: Cursor[Any], table: str, types: Mapping[str, str], columns: Columns) -> None:
    """Append rows to `table`; `columns` are in its types."""
    with cursor.copy(f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT binary)") as copy:
        for piece in _encode_copy(types, columns):
            copy.write(piece)


def _encode_copy(types: Mapping[str, str], columns: Columns) -> Iterator[bytes]:
    """Header, one piece for each pattern of NULLs, trailer."""
    nulls = {name: _is_null(columns[name], kind) for name, kind in types.items()}
    patterns = sum(mask.astype(np.int64) << bit for bit, mask in enumerate(nulls.values()))
    yield COPY_HEADER
    for pattern in np.unique(patterns).tolist():
        absent = [name for bit, name in enumerate(types) if pattern >> bit & 1]
        index = np.flatnonzero(patterns == pattern)
        records = np.zeros(len(index), _record_dtype(types, absent))
        records["fields"] = len(types)
        for name, kind in types.items():
            records[f"{name}_length"] = -1 if name in absent else records.dtype[name].itemsize
            if name not in absent:
                records[name] = columns[name][index] - (POSTGRES_EPOCH_MICROS if kind == TIMESTAMP else 0)
        yield records.tobytes()
    yield COPY_TRAILER


def _is_null(column: NDArray[Any], kind: str) -> NDArray[np.bool_]:
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(column)
    null: NDArray[np.bool_] = column == UNKNOWN_TIME if kind == TIMESTAMP else column != column  # noqa: PLR0124 - NaN
    return null


def _record_dtype(types: Mapping[str, str], absent: tuple[str, ...] | list[str]) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in types.items():
        fields.append((f"{name}_length", ">i4"))
        if name not in absent:
            fields.append((name, ">i8" if kind == TIMESTAMP else f">{kind}"))
    return np.dtype(fields)
