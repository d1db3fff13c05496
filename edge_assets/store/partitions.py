"""Native daily range partitions where there are no hypertables.

TimescaleDB makes its chunks itself. Elsewhere the writer calls `Partitions.ensure` for the moment that it
is about to write: replays write last year's days, the simulator today's, and a default partition would be a
trap (it would have to be emptied before a real one can take its range).

History comes in months: 12 seasons of football have matches on 3,000 days, and a query that locks 3,000 partitions and
their indexes needs more locks than a server has. On TimescaleDB too: a month that has no chunk yet becomes one. A month
in which days exist already goes on in days.

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

from edge_assets.store.chunks import ensure_wide_chunks
from edge_assets.store.copying import TICKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from psycopg import Connection

TABLES = (TICKS, "payloads")
PARTITION_LOCK = 0x0ED6F


class Partitions:
    """Remembers what has a partition, so that the common case asks the server nothing."""

    def __init__(self, conn: Connection) -> None:
        query = "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = 'odds_ticks'::regclass"
        self._native = bool(_scalar(conn, query))
        self._days: set[date] = set()

    def ensure(self, conn: Connection, observed_at: datetime) -> None:
        """Make the partitions of the day of `observed_at` (UTC) that are missing."""
        if self._native and (day := _day(observed_at)) not in self._days:
            with conn.transaction():
                _lock(conn)
                for table in TABLES:
                    _make_day(conn, table, day)
            self._days.add(day)

    def ensure_months(self, conn: Connection, moments: Iterable[datetime]) -> None:
        """Make what polls of old `moments` lack: partitions of months, days where a month has such, or wide chunks."""
        self.widen(conn, moments := list(moments))
        for month, days in groupby(sorted(set(map(_day, moments))) if self._native else (), _first):
            of_month = list(days)
            with conn.transaction():
                for table in TABLES:
                    _make(conn, table, month, of_month)

    def widen(self, conn: Connection, moments: Iterable[datetime]) -> None:
        """On TimescaleDB, make chunks as wide as a month for old `moments`."""
        if not self._native and (days := sorted(set(map(_day, moments)) - self._days)):
            with conn.transaction():
                _lock(conn)
                ensure_wide_chunks(conn, [datetime.combine(day, time(), UTC) for day in days])
            self._days.update(days)

    def tables(self, conn: Connection, observed_at: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Tables to fill with ticks of old moments (n,), and the rows that are theirs; within a transaction.

        The partition of a month takes a COPY in two thirds of the time that its parent takes to find it for every row,
        and a new one, whose index is made when it is full, in three fifths of that.
        """
        days = observed_at.astype("datetime64[us]").astype("datetime64[D]")
        months = days.astype("datetime64[M]")
        others = np.ones(len(days), bool)
        for month in np.unique(months).tolist() if self._native else ():
            rows = months == np.datetime64(month, "M")
            if _in_days(conn, TICKS, month):
                for day in np.unique(days[rows]).tolist():
                    _make_day(conn, TICKS, day)
            else:
                others &= ~rows
                with _filling(conn, TICKS, month) as name:
                    yield name, np.flatnonzero(rows)
        yield TICKS, np.flatnonzero(others)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _first(day: date) -> date:
    return day.replace(day=1)


def _next(month: date) -> date:
    return _first(month + timedelta(days=31))


def _monthly(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m}"


def _scalar(conn: Connection, query: str, *values: object) -> Any:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchone()


def _lock(conn: Connection) -> None:
    """Writers that meet at midnight, or imports in a month, would otherwise fail on the catalogue."""
    conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])


def _exists(conn: Connection, name: str) -> bool:
    return _scalar(conn, "SELECT to_regclass(%s)", name) is not None


def _in_days(conn: Connection, table: str, month: date) -> bool:
    """Whether a month has daily partitions; if it has none at all, nobody else makes any in this transaction."""
    if _exists(conn, _monthly(table, month)):
        return False
    _lock(conn)
    return bool(_scalar(conn, "SELECT count(*) FROM pg_class WHERE relname ~ %s", f"^{table}_{month:%Y%m}[0-9]{{2}}$"))


def _make(conn: Connection, table: str, month: date, days: Iterable[date]) -> None:
    """The partition of a month or, where it has daily ones, those of its `days`."""
    if _in_days(conn, table, month):
        for day in days:
            _make_day(conn, table, day)
    else:
        with _filling(conn, table, month):
            pass


def _make_day(conn: Connection, table: str, day: date) -> None:
    name = f"{table}_{day:%Y%m%d}"
    if not _exists(conn, _monthly(table, day)) and not _exists(conn, name):
        _create(conn, table, name)
        _attach(conn, table, name, day, day + timedelta(days=1))


@contextmanager
def _filling(conn: Connection, table: str, month: date) -> Iterator[str]:
    """The partition of a month, to be filled; a new one is attached when it is full, which makes its index."""
    name = _monthly(table, month)
    if new := not _exists(conn, name):
        _create(conn, table, name)
    yield name
    if new:
        _attach(conn, table, name, month, _next(month))


def _create(conn: Connection, table: str, name: str) -> None:
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL("CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS)").format(**names))


def _attach(conn: Connection, table: str, name: str, first: date, behind: date) -> None:
    start, end = (datetime.combine(day, time(), UTC).isoformat() for day in (first, behind))
    query = "ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})"
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL(query).format(**names, start=start, end=end))
