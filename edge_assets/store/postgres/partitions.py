"""Native daily range partitions on servers without hypertables.

TimescaleDB creates its chunks itself. Elsewhere the writer calls `Partitions.ensure_day` for the moment it is about to
write: replays write last year's days, the simulator today's. A default partition would have to be emptied before a real
one could take its range.

History uses monthly partitions: 12 seasons of football have matches on 3,000 days, and a query that locks 3,000
partitions and their indexes needs more locks than a server has. The same on TimescaleDB: a month without chunks becomes
one chunk. A month that already has days continues with days.

A partition is attached, because `CREATE TABLE ... PARTITION OF` waits until nobody reads the parent: one long
query at midnight would stop ingestion, and everything queued behind it.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store.postgres.binary_copy import TICKS_TABLE
from edge_assets.store.postgres.chunks import ensure_wide_chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from psycopg import Connection

PARTITIONED_TABLES = (TICKS_TABLE, "payloads")
PARTITION_LOCK_KEY = 0x0ED6F


class Partitions:
    """Remembers existing partitions, so that the common case needs no query."""

    def __init__(self, conn: Connection) -> None:
        query = "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = 'odds_ticks'::regclass"
        self._native = bool(_fetch_value(conn, query))
        self._days: set[date] = set()

    def ensure_day(self, conn: Connection, observed_at: datetime) -> None:
        """Create the missing partitions of the day of `observed_at` (UTC)."""
        if self._native and (day := _utc_day(observed_at)) not in self._days:
            with conn.transaction():
                _acquire_partition_lock(conn)
                for table in PARTITIONED_TABLES:
                    _create_day(conn, table, day)
            self._days.add(day)

    def ensure_months(self, conn: Connection, observed_at: Iterable[datetime]) -> None:
        """Create what past polls need: monthly partitions, daily ones where a month has those, or wide chunks."""
        self.ensure_month_chunks(conn, observed_at := list(observed_at))
        for month, days in groupby(sorted(set(map(_utc_day, observed_at))) if self._native else (), _month_start):
            month_days = list(days)
            with conn.transaction():
                for table in PARTITIONED_TABLES:
                    _create_month(conn, table, month, month_days)

    def ensure_month_chunks(self, conn: Connection, observed_at: Iterable[datetime]) -> None:
        """On TimescaleDB, create month-wide chunks for past `observed_at`."""
        if not self._native and (days := sorted(set(map(_utc_day, observed_at)) - self._days)):
            with conn.transaction():
                _acquire_partition_lock(conn)
                ensure_wide_chunks(conn, [datetime.combine(day, time(), UTC) for day in days])
            self._days.update(days)

    def split_by_table(
        self, conn: Connection, observed_at: NDArray[np.int64]
    ) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Tables for ticks of past moments (n,), each with its rows; in a transaction.

        COPY into a monthly partition is faster than through the parent, and faster still into a new one, whose index is
        built when it is full.
        """
        days = observed_at.astype("datetime64[us]").astype("datetime64[D]")
        months = days.astype("datetime64[M]")
        others = np.ones(len(days), bool)
        for month in np.unique(months).tolist() if self._native else ():
            rows = months == np.datetime64(month, "M")
            if _has_daily_partitions(conn, TICKS_TABLE, month):
                for day in np.unique(days[rows]).tolist():
                    _create_day(conn, TICKS_TABLE, day)
            else:
                others &= ~rows
                with _open_month_partition(conn, TICKS_TABLE, month) as name:
                    yield name, np.flatnonzero(rows)
        yield TICKS_TABLE, np.flatnonzero(others)


def _utc_day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _month_start(day: date) -> date:
    return day.replace(day=1)


def _next_month(month: date) -> date:
    return _month_start(month + timedelta(days=31))


def _month_partition_name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m}"


def _fetch_value(conn: Connection, query: str, *values: object) -> Any:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchone()


def _acquire_partition_lock(conn: Connection) -> None:
    """Concurrent writers at midnight, or imports of one month, would otherwise fail in the catalog."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK_KEY])


def _exists(conn: Connection, name: str) -> bool:
    return _fetch_value(conn, "SELECT to_regclass(%s)", name) is not None


def _has_daily_partitions(conn: Connection, table: str, month: date) -> bool:
    """Whether a month has daily partitions; if it has no partition, locks out others who would create one."""
    if _exists(conn, _month_partition_name(table, month)):
        return False
    _acquire_partition_lock(conn)
    return bool(
        _fetch_value(conn, "SELECT count(*) FROM pg_class WHERE relname ~ %s", f"^{table}_{month:%Y%m}[0-9]{{2}}$")
    )


def _create_month(conn: Connection, table: str, month: date, days: Iterable[date]) -> None:
    """The partition of a month or, where it has daily ones, those of its `days`."""
    if _has_daily_partitions(conn, table, month):
        for day in days:
            _create_day(conn, table, day)
    else:
        with _open_month_partition(conn, table, month):
            pass


def _create_day(conn: Connection, table: str, day: date) -> None:
    name = f"{table}_{day:%Y%m%d}"
    if not _exists(conn, _month_partition_name(table, day)) and not _exists(conn, name):
        _create_table(conn, table, name)
        _attach_partition(conn, table, name, day, day + timedelta(days=1))


@contextmanager
def _open_month_partition(conn: Connection, table: str, month: date) -> Iterator[str]:
    """The partition of a month, to be filled; a new one is attached, and indexed, afterwards."""
    name = _month_partition_name(table, month)
    if is_new := not _exists(conn, name):
        _create_table(conn, table, name)
    yield name
    if is_new:
        _attach_partition(conn, table, name, month, _next_month(month))


def _create_table(conn: Connection, table: str, name: str) -> None:
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL("CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS)").format(**names))


def _attach_partition(conn: Connection, table: str, name: str, first_day: date, end_day: date) -> None:
    start, end = (datetime.combine(day, time(), UTC).isoformat() for day in (first_day, end_day))
    query = "ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})"
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL(query).format(**names, start=start, end=end))
