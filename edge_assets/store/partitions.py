"""Native daily range partitions where there are no hypertables.

TimescaleDB makes its chunks itself. Elsewhere the writer calls `ensure_partitions` for the moment that it
is about to write: replays write last year's days, the simulator today's, and a default partition would be a
trap (it would have to be emptied before a real one can take its range).
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
                conn.execute(_create(table, day))
        self._days.add(day)


def _create(table: str, day: date) -> sql.Composed:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
        sql.Identifier(f"{table}_{day:%Y%m%d}"),
        sql.Identifier(table),
        sql.Literal(start.isoformat()),
        sql.Literal((start + timedelta(days=1)).isoformat()),
    )
