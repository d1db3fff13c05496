"""Columns come back from the database bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns, write_columns
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

COLUMNS = {"a": "i2", "b": "i4", "c": "i8", "d": "f4", "e": "f8", "f": TIMESTAMP}
VALUES: dict[str, NDArray[Any]] = {
    "a": np.array([1, -2, 3], np.int16),
    "b": np.array([10**9, 0, -1], np.int32),
    "c": np.array([2**62, 0, -1]),
    "d": np.array([0.1, np.nan, -2.25], np.float32),
    "e": np.array([1 / 3, np.nan, np.nan]),
    "f": np.array([1_762_776_000_000_001, UNKNOWN_TIME, 0]),
}
READ = "SELECT a, b, c, coalesce(d, 'NaN'), coalesce(e, 'NaN'), coalesce(f, '-infinity') FROM bulk ORDER BY a DESC"


def test_written_columns_are_read_back(conn: Connection) -> None:
    conn.execute("CREATE TABLE bulk (a int2, b int4, c int8, d float4, e float8, f timestamptz)")
    with conn.cursor() as cursor:
        write_columns(cursor, "bulk", COLUMNS, VALUES)
    found = read_columns(conn, READ, COLUMNS)
    for name, column in VALUES.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column[[2, 0, 1]])
    assert conn.execute("SELECT count(d), count(e), count(f) FROM bulk").fetchone() == (2, 1, 2)


def test_masked_values_are_null(conn: Connection) -> None:
    conn.execute("CREATE TABLE bulk (a int2, b bool)")
    masked = np.ma.masked_array(np.array([1, 2, 3], np.int16), [False, True, False])
    with conn.cursor() as cursor:
        write_columns(cursor, "bulk", {"a": "i2", "b": "?"}, {"a": masked, "b": np.array([True, False, True])})
    assert conn.execute("SELECT a, b FROM bulk ORDER BY a").fetchall() == [(1, True), (3, True), (None, False)]


def test_empty_columns_are_written_and_read(conn: Connection) -> None:
    conn.execute("CREATE TABLE bulk (a int2, b int4, c int8, d float4, e float8, f timestamptz)")
    with conn.cursor() as cursor:
        write_columns(cursor, "bulk", COLUMNS, {name: column[:0] for name, column in VALUES.items()})
    assert {name: len(column) for name, column in read_columns(conn, READ, COLUMNS).items()} == dict.fromkeys(VALUES, 0)
