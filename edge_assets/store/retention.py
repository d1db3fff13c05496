"""How long recordings are kept.

TimescaleDB's community edition drops old chunks by a policy of its own. Elsewhere they are dropped when `retain` is
called, chunk by chunk or partition by partition: a day goes when all of it is too old.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store.database import COMMUNITY, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from psycopg import Connection, Cursor

EXPIRED = """
SELECT c.relname FROM pg_inherits AS i INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE i.inhparent = %s::regclass AND c.relname < %s ORDER BY c.relname
"""
LOCK_TIMEOUT = "3s"
"""Dropping a partition locks its table and everybody queues behind: better tomorrow than after a long query."""


def retain(conn: Connection, days: Mapping[str, int | None], now: datetime) -> dict[str, int]:
    """Keep recordings of `odds_ticks` and `payloads` for so many days before `now`, None for ever.

    Returns the chunks or partitions dropped by table; those that somebody reads stay until the next call.
    """
    info = describe(conn)
    if info.edition == COMMUNITY:
        for table, keep in days.items():
            if keep != info.retention_days.get(table):
                _set_policy(conn, table, keep)
        return {}
    drop = _drop_chunks if info.hypertables else _drop_partitions
    return {table: drop(conn, table, now - timedelta(days=keep)) for table, keep in days.items() if keep is not None}


def _set_policy(conn: Connection, table: str, days: int | None) -> None:
    with conn.transaction():
        conn.execute("SELECT remove_retention_policy(%s, if_exists => true)", [table])
        if days is not None:
            conn.execute("SELECT add_retention_policy(%s, make_interval(days => %s))", [table, days])


def _drop_chunks(conn: Connection, table: str, before: datetime) -> int:
    with suppress(psycopg.errors.LockNotAvailable), _impatient(conn) as cursor:
        return len(cursor.execute("SELECT drop_chunks(%s, %s::timestamptz)", [table, before]).fetchall())
    return 0


def _drop_partitions(conn: Connection, table: str, before: datetime) -> int:
    with conn.cursor(row_factory=scalar_row) as cursor:
        expired = cursor.execute(EXPIRED, [table, f"{table}_{before:%Y%m%d}"]).fetchall()
    dropped = 0
    with suppress(psycopg.errors.LockNotAvailable):
        for name in expired:
            with _impatient(conn) as cursor:
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            dropped += 1
    return dropped


@contextmanager
def _impatient(conn: Connection) -> Iterator[Cursor]:
    """A transaction that does not wait long for a lock."""
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        yield cursor
