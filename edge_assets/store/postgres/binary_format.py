"""PostgreSQL's binary format: the layout of every type in use, and the rows of a COPY, built by NumPy.

In a COPY a row costs 2 bytes of field count and 4 bytes of length per field; NULL is a length of -1 without data. So
rows with the same NULLs have the same size and become one structured array; their order changes.
Format: https://www.postgresql.org/docs/current/sql-copy.html (binary format).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from ml.quotes import Micros

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"
POSTGRES_EPOCH_MICROS: Micros = 946_684_800_000_000
"""2000-01-01 UTC, from which PostgreSQL counts."""
TIMESTAMP = "time"
"""The kind of a column of `Micros`; all other kinds are NumPy's."""


class BinaryType(NamedTuple):
    """A type's name and OID in PostgreSQL, its send function, and its big-endian NumPy type."""

    name: str
    oid: int
    send: str
    dtype: str


BINARY_TYPES = {
    "?": BinaryType("bool", 16, "boolsend", "?"),
    "i8": BinaryType("int8", 20, "int8send", ">i8"),
    "i2": BinaryType("int2", 21, "int2send", ">i2"),
    "i4": BinaryType("int4", 23, "int4send", ">i4"),
    "f4": BinaryType("float4", 700, "float4send", ">f4"),
    "f8": BinaryType("float8", 701, "float8send", ">f8"),
    TIMESTAMP: BinaryType("timestamptz", 1184, "timestamptz_send", ">i8"),
}
BYTEA_OID, TEXT_OID = 17, 25


def wire_dtype(kind: str) -> str:
    """The NumPy type in which a column of this kind is sent; texts of a fixed width (`S3`) are sent as they are."""
    return BINARY_TYPES[kind].dtype if kind in BINARY_TYPES else kind


def record_dtype(types: Mapping[str, str]) -> np.dtype[np.void]:
    """A row of such columns, none NULL, as `pack_expression` sends it."""
    return np.dtype([(name, wire_dtype(kind)) for name, kind in types.items()])


def pack_expression(types: Mapping[str, str], expressions: Mapping[str, str]) -> str:
    """SQL that packs a row into one `bytea`: `expressions` by column, in the order of `types`, none of them NULL."""
    sent = [(BINARY_TYPES[kind], expressions[name]) for name, kind in types.items()]
    return " || ".join(f"{binary.send}(({expression})::{binary.name})" for binary, expression in sent)


def encode_copy(
    types: Mapping[str, str], columns: Mapping[str, Any], nullable: Collection[str] | None = None
) -> Iterator[bytes]:
    """A COPY stream: header, `encode_rows`, trailer."""
    yield COPY_HEADER
    yield from encode_rows(types, columns, nullable)
    yield COPY_TRAILER


def encode_rows(
    types: Mapping[str, str], columns: Mapping[str, Any], nullable: Collection[str] | None = None
) -> Iterator[bytes]:
    """Rows for COPY, one piece for each pattern of NULLs.

    `columns` are arrays (n,) or, where all rows have the same value, scalars. NULL is NaN, `UNKNOWN_TIME` in a
    timestamp, or what is masked; only in `nullable` columns (default: all), which must be arrays.
    """
    nulls = {name: _null_mask(columns[name], types[name]) for name in (types if nullable is None else nullable)}
    bits = np.dtype(np.int8 if len(nulls) < np.iinfo(np.int8).bits else np.int64)
    patterns = sum(mask.astype(bits) << bit for bit, mask in enumerate(nulls.values()))
    layout, wire = tuple(types.items()), _to_wire(types, columns)
    scalars = {name: value for name, value in wire.items() if not isinstance(value, np.ndarray)}
    for pattern in np.unique(patterns).tolist():
        absent = frozenset(name for bit, name in enumerate(nulls) if pattern >> bit & 1)
        row = _blank_row(layout, absent).copy()
        for name, value in scalars.items():
            row[name] = value
        index = np.flatnonzero(patterns == pattern)
        # repeated bytes take a third of the time of `np.full` with a structured value
        piece = bytearray(row.tobytes()) * len(index)
        records = np.frombuffer(piece, row.dtype)
        for name in types.keys() - scalars.keys() - absent:
            records[name] = wire[name][index]
        yield bytes(piece)


def _to_wire(types: Mapping[str, str], columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns with timestamps counted from PostgreSQL's epoch."""
    return {
        name: columns[name] - POSTGRES_EPOCH_MICROS if types[name] == TIMESTAMP else columns[name] for name in types
    }


def _null_mask(column: NDArray[Any], kind: str) -> NDArray[np.bool_]:
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(column)
    if kind == TIMESTAMP:
        return np.asarray(column == UNKNOWN_TIME)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), np.bool_)


@cache
def _blank_row(layout: tuple[tuple[str, str], ...], absent: frozenset[str]) -> NDArray[np.void]:
    """A row with the fields of `layout`, those in `absent` NULL, without its values."""
    dtype: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in layout:
        dtype += [(f"{name}_length", ">i4")] + [(name, wire_dtype(kind))] * (name not in absent)
    blank = np.zeros((), dtype)
    blank["fields"] = len(layout)
    for name, kind in layout:
        blank[f"{name}_length"] = -1 if name in absent else np.dtype(wire_dtype(kind)).itemsize
    return blank
