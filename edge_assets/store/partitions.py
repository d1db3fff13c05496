"""Native daily range partitions where there are no hypertables.

TimescaleDB makes its chunks itself. Elsewhere the writer calls `Partitions.ensure` for the moment that it
is about to write: replays write last year's days, the simulator today's, and a default partition would be a
trap (it would have to be emptied before a real one can take its range).

History comes in months: 12 seasons of football have matches on 3,000 days, and a query that locks 3,000 partitions and
their indexes needs more locks than a server has. `ensure_months` makes them, on TimescaleDB too, where a month that
has no chunk yet becomes one; a month in which days exist already goes on in days.

A partition is attached, because `CREATE TABLE ... PARTITION OF` waits until nobody reads the parent: one long
query at midnight would stop ingestion, and everything queued behind it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store.copying import TICKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray
    from psycopg import Connection

TABLES = (TICKS, "payloads")
PARTITION_LOCK = 0x0ED6F
CHUNKS = """
SELECT range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_name = 'odds_ticks' AND range_end > %s AND range_start <= %s
"""
CHUNK_INTERVAL = "SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'odds_ticks'"
INSERT_PROBE = """
INSERT INTO odds_ticks (observed_at, poll_id, event_id, outcome_id, book_id, market_id) VALUES (%s, -1, 0, 0, 0, 0)
"""


class Partitions:
    """Remembers which days have a partition, so that the common case asks the server nothing."""

    def __init__(self, conn: Connection) -> None:
        with conn.cursor(row_factory=scalar_row) as cursor:
            native = cursor.execute(
                "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = 'odds_ticks'::regclass"
            ).fetchone()
        self._native = bool(native)
        self._days: set[date] = set()
        self._past: set[datetime] = set()
        self._whole: dict[date, str] = {}

    def ensure_months(self, conn: Connection, moments: Iterable[datetime]) -> None:
        """Make what ticks of old `moments` lack: a partition a month, or a day where the month has daily ones."""
        days = sorted({at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) for at in moments})
        days = [day for day in days if day not in self._past]
        if days and not self._native:
            _ensure_wide_chunks(conn, days)
        for month, within in groupby(days if self._native else (), key=lambda day: day.date().replace(day=1)):
            if month not in self._whole and not self._month(conn, month):
                for day in within:
                    self.ensure(conn, day)
        self._past.update(days)

    def tables(self, conn: Connection, observed_at: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Where ticks of these moments go, which have room: tables with the rows that are theirs.

        The partition of a month takes a COPY in two thirds of the time that its parent takes to find it for every row.
        """
        months = observed_at.astype("datetime64[us]").astype("datetime64[M]")
        others = np.ones(len(months), bool)
        for month in np.unique(months) if self._native else ():
            if name := self._partition(conn, month.item()):
                rows = months == month
                others &= ~rows
                yield name, np.flatnonzero(rows)
        yield TICKS, np.flatnonzero(others)

    def _partition(self, conn: Connection, month: date) -> str | None:
        """The name of a month's partition; None if it has daily ones."""
        name = _monthly(TICKS, month)
        if month not in self._whole and _exists(conn, name):
            self._whole[month] = name
        return self._whole.get(month)

    def _month(self, conn: Connection, month: date) -> bool:
        """Make the month's partitions; false if it has daily ones."""
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
            with conn.cursor(row_factory=scalar_row) as cursor:
                pattern = f"^odds_ticks_{month:%Y%m}[0-9]{{2}}$"
                if cursor.execute("SELECT count(*) FROM pg_class WHERE relname ~ %s", [pattern]).fetchone():
                    return False
            for table in TABLES:
                _attach(conn, table, _monthly(table, month), month, _next(month))
        return self._partition(conn, month) is not None

    def ensure(self, conn: Connection, observed_at: datetime) -> None:
        """Make the partition of the day of `observed_at` (UTC) if it is missing."""
        day = observed_at.astimezone(UTC).date()
        if not self._native or day in self._days:
            return
        with conn.transaction():
            # two writers that meet at midnight would otherwise fail on the catalogue
            conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
            for table in TABLES:
                if not _exists(conn, _monthly(table, day)):
                    _attach(conn, table, f"{table}_{day:%Y%m%d}", day, day + timedelta(days=1))
        self._days.add(day)


def _monthly(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m}"


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _exists(conn: Connection, name: str) -> bool:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute("SELECT to_regclass(%s)", [name]).fetchone() is not None


def _ensure_wide_chunks(conn: Connection, days: Sequence[datetime]) -> None:
    """Make wide chunks for days that have none: a row comes and goes while chunks are a month long.

    In one transaction, so that no other writer meets the longer interval.
    """
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
        [interval] = conn.execute(CHUNK_INTERVAL).fetchone() or (None,)
        conn.execute("SELECT set_chunk_time_interval('odds_ticks', INTERVAL '30 days')")
        missing = days
        while missing := _without_chunk(conn, missing):
            conn.execute(INSERT_PROBE, [missing[0]])
            conn.execute("DELETE FROM odds_ticks WHERE observed_at = %s AND poll_id = -1", [missing[0]])
        conn.execute("SELECT set_chunk_time_interval('odds_ticks', %s::interval)", [interval])


def _without_chunk(conn: Connection, days: Sequence[datetime]) -> list[datetime]:
    chunks = conn.execute(CHUNKS, [days[0], days[-1]]).fetchall() if days else []
    return [day for day in days if not any(start <= day < end for start, end in chunks)]


def _attach(conn: Connection, table: str, name: str, first: date, behind: date) -> None:
    """Make and attach in one transaction: a partition that exists is attached."""
    if _exists(conn, name):
        return
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, behind))
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL("CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS)").format(**names))
    conn.execute(
        sql.SQL("ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})").format(
            **names, start=start.isoformat(), end=end.isoformat()
        )
    )
