"""Columns as query parameters: PostgreSQL's binary arrays, built at once.

psycopg dumps a list element by element in Python, which is too slow for imports. The query states the type, as in
`%s::int8[]`. No element is NULL.
Format: https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c (array_send)
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from edge_assets.store.postgres.binary_format import (
    BINARY_TYPES,
    BYTEA_OID,
    POSTGRES_EPOCH_MICROS,
    TEXT_OID,
    TIMESTAMP,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_T = TypeVar("_T", str, bytes)


class ArrayParameter(bytes):
    """An array in the binary format."""


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: ArrayParameter) -> bytes:
        return obj


psycopg.adapters.register_dumper(ArrayParameter, _ArrayDumper)


def encode_numbers(values: Sequence[Any] | NDArray[Any], kind: str) -> ArrayParameter:
    """An array of booleans, integers or floats; `kind` is one of `BINARY_TYPES`.

    Raises:
        OverflowError: an integer does not fit; NumPy would silently wrap it.
    """
    array = np.asarray(values)
    if kind.startswith("i") and array.size and not _is_in_range(array, np.iinfo(kind)):
        msg = f"integers from {array.min()} to {array.max()} do not fit into {kind}"
        raise OverflowError(msg)
    return _encode_fixed_width(array, kind)


def encode_timestamps(values: Sequence[int] | NDArray[np.int64]) -> ArrayParameter:
    """An array of `timestamptz` from `Micros`."""
    return _encode_fixed_width(np.asarray(values, np.int64) - POSTGRES_EPOCH_MICROS, TIMESTAMP)


def encode_texts(values: Sequence[str]) -> ArrayParameter:
    """An array of `text`."""
    return _encode_variable_width({value: value.encode() for value in set(values)}, values, TEXT_OID)


def encode_bytes(values: Sequence[bytes]) -> ArrayParameter:
    """An array of `bytea`."""
    return _encode_variable_width({value: value for value in set(values)}, values, BYTEA_OID)


def _is_in_range(values: NDArray[Any], limits: np.iinfo[Any]) -> bool:
    return bool(limits.min <= values.min() and values.max() <= limits.max)


def _encode_fixed_width(values: NDArray[Any], kind: str) -> ArrayParameter:
    elements = np.zeros(len(values), [("length", ">i4"), ("value", BINARY_TYPES[kind].dtype)])
    elements["length"] = elements.dtype["value"].itemsize
    elements["value"] = values
    return _build_array(len(values), BINARY_TYPES[kind].oid, [elements.tobytes()])


def _encode_variable_width(encoded: Mapping[_T, bytes], values: Sequence[_T], oid: int) -> ArrayParameter:
    """Each distinct value is encoded once, because columns of an import repeat."""
    elements = {value: struct.pack(">i", len(content)) + content for value, content in encoded.items()}
    return _build_array(len(values), oid, map(elements.__getitem__, values))


def _build_array(n: int, oid: int, elements: Iterable[bytes]) -> ArrayParameter:
    """One dimension with lower bound 1, or none if empty."""
    header = struct.pack(">iii", bool(n), 0, oid) + struct.pack(">ii", n, 1) * bool(n)
    return ArrayParameter(b"".join((header, *elements)))
