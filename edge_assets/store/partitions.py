"""Native daily range partitions where there are no hypertables.

TimescaleDB makes its chunks itself. Elsewhere the writer calls `Partitions.ensure` for the moment that it
is about to write: replays write last year's days, the simulator today's, and a default partition would be a
trap (it would have to be emptied before a real one can take its range).

A partition is attached, because `CREATE TABLE ... PARTITION OF` waits until nobody reads the parent: one long
query at midnight would stop ingestion, and everything queued behind it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import scalar_row

if TYPE_CHECKING:
    from datetime import date

    from psycopg import Connection

TABLES = ("odds_ticks", "payloads")
PARTITION_LOCK = 0x0ED6F


class Partitions:
    """Remembers which days have a partition, so that the common case asks the server nothing."""

    def __init__(self, conn: Connection) -> None:
        with conn.cursor(row_factory=scalar_row) as cursor:
            native = cursor.execute(
                "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = 'odds_ticks'::regclass"
            ).fetchone()
        self._native = bool(native)
        self._days: set[date] = set()

    def ensure(self, conn: Connection, observed_at: datetime) -> None:
        """Make the partition of the day of `observed_at` (UTC) if it is missing."""
        day = observed_at.astimezone(UTC).date()
        if not self._native or day in self._days:
            return
        with conn.transaction():
            # two writers that meet at midnight would otherwise fail on the catalogue
            conn.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
            for table in TABLES:
                _attach(conn, table, day)
        self._days.add(day)


def _attach(conn: Connection, table: str, day: date) -> None:
    """Make and attach in one transaction: a partition that exists is attached."""
    name = f"{table}_{day:%Y%m%d}"
    with conn.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute("SELECT to_regclass(%s)", [name]).fetchone():
            return
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    names = {"parent": sql.Identifier(table), "partition": sql.Identifier(name)}
    conn.execute(sql.SQL("CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS)").format(**names))
    conn.execute(
        sql.SQL("ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})").format(
            **names, start=start.isoformat(), end=(start + timedelta(days=1)).isoformat()
        )
    )
