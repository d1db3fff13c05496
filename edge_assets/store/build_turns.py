"""One build of the warehouse at a time on a database: an advisory lock that dies with the builder's connection."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from edge_assets.store.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from psycopg import Connection

BUILD_LOCK = 0x0ED72
TRY_LOCK = "SELECT pg_try_advisory_lock(%s)"
WAIT_FOR_LOCK = "SELECT pg_advisory_lock(%s)"
BUILDER = """
SELECT a.application_name AS name, a.state_change AS since
FROM pg_locks AS l INNER JOIN pg_stat_activity AS a ON l.pid = a.pid
WHERE
    l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
    AND a.datname = current_database() AND l.database = a.datid
"""


class Builder(NamedTuple):
    """Who builds the warehouse, by the name of its connection, and since when (UTC)."""

    name: str
    since: datetime


@contextmanager
def build_turn(database_url: str, name: str, waits_for: Callable[[Builder | None], object]) -> Iterator[None]:
    """Hold the turn to build as `name`; where another build has it, `waits_for` is told of it first, once."""
    with closing(connect(database_url, name)) as conn:
        row = conn.execute(TRY_LOCK, [BUILD_LOCK]).fetchone()
        if not (row and row[0]):
            waits_for(current_builder(conn))
            conn.execute(WAIT_FOR_LOCK, [BUILD_LOCK])
        yield


def current_builder(conn: Connection) -> Builder | None:
    """Who builds the warehouse of this database at present, if anybody does."""
    with conn.cursor(row_factory=class_row(Builder)) as cursor:
        return cursor.execute(BUILDER, [BUILD_LOCK]).fetchone()
