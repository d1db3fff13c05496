"""One warehouse build at a time per database: an advisory lock that ends with the builder's connection."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from psycopg import Connection

BUILD_LOCK_KEY = 0x0ED72
TRY_BUILD_LOCK = "SELECT pg_try_advisory_lock(%s)"
ACQUIRE_BUILD_LOCK = "SELECT pg_advisory_lock(%s)"
SELECT_ACTIVE_BUILD = """
SELECT a.application_name AS name, a.state_change AS since
FROM pg_locks AS l INNER JOIN pg_stat_activity AS a ON l.pid = a.pid
WHERE
    l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
    AND a.datname = current_database() AND l.database = a.datid
"""


class ActiveBuild(NamedTuple):
    """The process that builds the warehouse, by the name of its connection, and since when (UTC)."""

    name: str
    since: datetime


@contextmanager
def hold_build_lock(database_url: str, name: str, on_wait: Callable[[ActiveBuild | None], object]) -> Iterator[None]:
    """Hold the build lock as `name`; if another build holds it, `on_wait` is called with that build before waiting."""
    with closing(connect(database_url, name)) as conn:
        row = conn.execute(TRY_BUILD_LOCK, [BUILD_LOCK_KEY]).fetchone()
        if not (row and row[0]):
            on_wait(find_active_build(conn))
            conn.execute(ACQUIRE_BUILD_LOCK, [BUILD_LOCK_KEY])
        yield


def find_active_build(conn: Connection) -> ActiveBuild | None:
    """The build of this database's warehouse in progress, if any."""
    with conn.cursor(row_factory=class_row(ActiveBuild)) as cursor:
        return cursor.execute(SELECT_ACTIVE_BUILD, [BUILD_LOCK_KEY]).fetchone()
