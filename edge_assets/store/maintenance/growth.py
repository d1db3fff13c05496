"""Growth of an installation: sizes, rates, and when the disk will be full.

Sizes are measured now and then and kept (`size_measurements`); the rate is the difference to a measurement of a day
before or, in a database's first hours, what it has taken since its first poll.
"""

from __future__ import annotations

import math
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.retention_days import FOREVER_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from psycopg import Connection

    from edge_assets.core.retention_days import RetentionDays

SELECT_RELATION_SIZES = """
WITH RECURSIVE roots AS (
    SELECT c.oid, c.oid AS root FROM pg_class AS c
    WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
    UNION ALL
    SELECT i.inhrelid, r.root FROM roots AS r INNER JOIN pg_inherits AS i ON r.oid = i.inhparent
)

SELECT
    CASE
        WHEN n.nspname IN ('pricing', 'analytics') THEN 'warehouse'
        WHEN t.relname = 'odds_ticks' OR n.nspname LIKE '\\_timescaledb%' THEN 'ticks'
        WHEN t.relname IN ('payloads', 'unreadable_responses') THEN 'payloads'
        WHEN t.relname IN ('alerts', 'alert_publications', 'suppressions') THEN 'alerts'
        WHEN t.relname IN ('polls', 'keyframes') THEN t.relname
        ELSE 'other tables'
    END AS part,
    sum(pg_total_relation_size(r.oid))::bigint
FROM roots AS r
INNER JOIN pg_class AS t ON r.root = t.oid
INNER JOIN pg_namespace AS n ON t.relnamespace = n.oid
GROUP BY part ORDER BY part
"""
"""Compressed chunks and stored candles are in TimescaleDB's own tables, but consist of ticks."""
SELECT_DAGSTER_SIZE = "SELECT pg_database_size(oid) FROM pg_database WHERE datname = 'dagster'"
INSERT_SIZE_MEASUREMENT = """
WITH expired AS (
    DELETE FROM size_measurements WHERE measured_at < clock_timestamp() - interval '90 days'
)
INSERT INTO size_measurements (measured_at, part, bytes)
SELECT now(), m.part, m.bytes FROM unnest(%(parts)s::text[], %(bytes)s::bigint[]) AS m (part, bytes)
WHERE NOT EXISTS (SELECT FROM size_measurements WHERE measured_at > now() - interval '10 minutes')
"""
SELECT_BASELINE = """
SELECT part, bytes, extract(epoch FROM now() - measured_at) / 86400 FROM size_measurements
WHERE measured_at = (
    SELECT measured_at FROM size_measurements WHERE measured_at < now() - interval '10 minutes'
    ORDER BY abs(extract(epoch FROM now() - measured_at) - 86400) LIMIT 1
)
"""
SELECT_DAYS_SINCE_FIRST_POLL = """
SELECT extract(epoch FROM now() - min(received_at)) / 86400 FROM polls
HAVING count(*) FILTER (WHERE import_id IS NOT NULL) = 0 AND min(received_at) < now() - interval '2 minutes'
"""
PARTS_FILLED_BY_POLLS = ("ticks", "payloads", "polls", "keyframes", "alerts")
"""Empty before the first poll."""
MAX_FORECAST_DAYS = 3650
MIN_BASELINE_DAYS = 1 / 24
"""Growth over a shorter time does not give a daily rate: a replay at full speed stores a week in minutes."""
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
MIN_REPORTED_BYTES = 10**6
"""Smaller parts are reported only if they grow."""


class StoragePart(NamedTuple):
    """A part of the installation: its size, how much it grows (None: not known yet), and how long it is kept."""

    name: str
    bytes: int
    bytes_per_day: float | None
    kept_days: int | None

    def bytes_after(self, days: int) -> float:
        """The forecast size: a part kept for some days stops growing at the inflow of that time."""
        rate = max(0.0, self.bytes_per_day or 0.0)
        forecast = self.bytes + rate * days
        # one day more, because whole days are dropped
        return (
            forecast if self.kept_days is None else min(forecast, max(float(self.bytes), rate * (self.kept_days + 1)))
        )

    @property
    def summary(self) -> str:
        """In words."""
        rate = "" if self.bytes_per_day is None else f", {_format_bytes(self.bytes_per_day)} a day"
        kept = "" if self.kept_days is None else f", kept {self.kept_days} days"
        return f"{self.name} {_format_bytes(self.bytes)}{rate}{kept}"


class StorageGrowth(NamedTuple):
    """All parts, the largest first, and the space that is free on the disk of the home."""

    parts: list[StoragePart]
    free_bytes: int

    @property
    def bytes_per_day(self) -> float:
        """What comes in a day."""
        return sum(part.bytes_per_day or 0.0 for part in self.parts)

    @property
    def days_until_full(self) -> int | None:
        """When the disk is full at this rate; None: not within ten years."""
        now = sum(part.bytes for part in self.parts)
        return next(
            (days for days in range(MAX_FORECAST_DAYS) if self._bytes_after(days) - now > self.free_bytes),
            None,
        )

    @property
    def bytes_in_a_year(self) -> float:
        """The size, in bytes, that all of it has in a year."""
        return self._bytes_after(365)

    @property
    def summary(self) -> str:
        """All of it in a line."""
        parts = ", ".join(part.summary for part in self.parts if part.bytes >= MIN_REPORTED_BYTES or part.bytes_per_day)
        if not any(part.bytes_per_day is not None for part in self.parts):
            return f"not measured yet ({parts}); {_format_bytes(self.free_bytes)} free"
        full = self.days_until_full
        end = (
            f"full in {full} days" if full is not None else f"in a year it takes {_format_bytes(self.bytes_in_a_year)}"
        )
        return f"{_format_bytes(self.bytes_per_day)} a day ({parts}); {_format_bytes(self.free_bytes)} free: {end}"

    def _bytes_after(self, days: int) -> float:
        return sum(part.bytes_after(days) for part in self.parts)


def measure_sizes(conn: Connection, home: Path) -> dict[str, int]:
    """Measure the parts, in bytes, and keep the measurement unless there is one of the last ten minutes."""
    sizes = dict(conn.execute(SELECT_RELATION_SIZES).fetchall())
    dagster = conn.execute(SELECT_DAGSTER_SIZE).fetchone()
    sizes["dagster"] = (dagster[0] if dagster else 0) + _folder_bytes(home / "dagster")
    sizes["logs"] = _folder_bytes(home / "logs")
    sizes["other files"] = sum(_folder_bytes(home / name) for name in ("data_docs", "dbt", "mlflow", "valkey"))
    conn.execute(INSERT_SIZE_MEASUREMENT, {"parts": [*sizes], "bytes": [*sizes.values()]})
    return sizes


def measure_growth(conn: Connection, home: Path, kept: RetentionDays) -> StorageGrowth:
    """What grows how fast. Measures."""
    sizes = measure_sizes(conn, home)
    rates = _daily_rates(conn, sizes)
    days = _retention_days(kept)
    parts = [StoragePart(name, size, rates.get(name), days.get(name)) for name, size in sizes.items()]
    return StorageGrowth(sorted(parts, key=lambda part: -part.bytes), shutil.disk_usage(home).free)


def measure_bytes_per_day(conn: Connection, home: Path) -> float:
    """What comes in a day, by what was measured an hour ago or earlier; 0 while nothing was. Measures."""
    sizes = measure_sizes(conn, home)
    baseline = [(sizes.get(part, 0) - before, float(days)) for part, before, days in conn.execute(SELECT_BASELINE)]
    rate: float = sum(change / days for change, days in baseline if days >= MIN_BASELINE_DAYS)
    return max(0.0, rate)


def _daily_rates(conn: Connection, sizes: Mapping[str, int]) -> dict[str, float]:
    """Bytes a day, by part, as far as they are known."""
    if baseline := conn.execute(SELECT_BASELINE).fetchall():
        return {part: (sizes.get(part, 0) - before) / float(days) for part, before, days in baseline}
    first = conn.execute(SELECT_DAYS_SINCE_FIRST_POLL).fetchone()
    return {part: sizes.get(part, 0) / float(first[0]) for part in PARTS_FILLED_BY_POLLS} if first else {}


def _retention_days(kept: RetentionDays) -> dict[str, int | None]:
    """For how long each part is kept; None: for ever."""
    days = {
        "payloads": min(kept.payloads, kept.ticks),
        "ticks": kept.ticks,
        "polls": kept.ticks,
        "keyframes": kept.ticks,
        "alerts": min(kept.alerts, kept.ticks),
        "warehouse": kept.prices,
        "dagster": kept.runs,
    }
    return {part: n if n < FOREVER_DAYS else None for part, n in days.items()}


def _format_bytes(number: float) -> str:
    """Format bytes for people."""
    thousands = min(len(BYTE_UNITS) - 1, int(math.log10(max(1.0, abs(number)))) // 3)
    return f"{number / 1000**thousands:.3g} {BYTE_UNITS[thousands]}"


def _folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; those that go meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total
