"""The spans of time that a table is stored in: native partitions or TimescaleDB's chunks, by their bounds.

Names do not give the bounds: `odds_ticks_202611` is all of November if an import came first, and sorts before
`odds_ticks_20261101`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

SELECT_PARTITIONS = """
WITH bounds AS (
    SELECT
        n.nspname AS schema, c.relname AS name,
        regexp_match(pg_get_expr(c.relpartbound, c.oid), $$^FOR VALUES FROM \\('(.+)'\\) TO \\('(.+)'\\)$$) AS bounds
    FROM pg_inherits AS i
    INNER JOIN pg_class AS c ON i.inhrelid = c.oid
    INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
    WHERE i.inhparent = %(table)s::regclass
)

SELECT schema, name, bounds[1]::timestamptz AS since, bounds[2]::timestamptz AS until
FROM bounds WHERE bounds IS NOT NULL ORDER BY since
"""
SELECT_CHUNKS = """
SELECT chunk_schema AS schema, chunk_name AS name, range_start AS since, range_end AS until
FROM timescaledb_information.chunks WHERE hypertable_name = %(table)s ORDER BY since
"""
DROP_CHUNK = "SELECT drop_chunks(%(table)s, older_than => %(until)s::timestamptz, newer_than => %(since)s::timestamptz)"
SELECT_IS_PARTITIONED = "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = %s::regclass"


class Segment(NamedTuple):
    """A part of a table that holds its rows from `since` on and before `until` (UTC)."""

    schema: str
    name: str
    since: datetime
    until: datetime

    @property
    def identifier(self) -> sql.Identifier:
        """Its quoted name for a query."""
        return sql.Identifier(self.schema, self.name)


def is_partitioned(conn: Connection, table: str) -> bool:
    """Whether a table is stored in native partitions rather than in chunks."""
    row = conn.execute(SELECT_IS_PARTITIONED, [table]).fetchone()
    return bool(row and row[0])


def load_segments(conn: Connection, table: str) -> list[Segment]:
    """The segments of a table, the oldest first."""
    query = SELECT_PARTITIONS if is_partitioned(conn, table) else SELECT_CHUNKS
    with conn.cursor(row_factory=class_row(Segment)) as cursor:
        return cursor.execute(query, {"table": table}).fetchall()


def drop_segment(conn: Connection, table: str, segment: Segment) -> None:
    """Drop a segment with its rows. Raises `psycopg.errors.LockNotAvailable` after the session's `lock_timeout`."""
    if is_partitioned(conn, table):
        conn.execute(sql.SQL("DROP TABLE {}").format(segment.identifier))
    elif not conn.execute(DROP_CHUNK, {"table": table, **segment._asdict()}).fetchall():
        msg = f"TimescaleDB did not drop {segment.name} of {table}"
        raise psycopg.OperationalError(msg)
