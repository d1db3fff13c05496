"""Chunks of TimescaleDB for the past: a month wide, where the live path's are a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

SELECT_CHUNK_RANGES = """
SELECT range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_name = 'odds_ticks' AND range_end > %s AND range_start <= %s
"""
SELECT_CHUNK_INTERVAL = (
    "SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'odds_ticks'"
)
INSERT_PROBE_TICK = """
INSERT INTO odds_ticks (observed_at, poll_id, event_id, outcome_id, book_id, market_id) VALUES (%s, -1, 0, 0, 0, 0)
"""


def ensure_wide_chunks(conn: Connection, days: Sequence[datetime]) -> None:
    """Create wide chunks for days that have none, by inserting and deleting a row while the interval is a month.

    Call it in a transaction, so that no other writer sees the longer interval.
    """
    if not (missing := _days_without_chunk(conn, days)):
        return
    [interval] = conn.execute(SELECT_CHUNK_INTERVAL).fetchone() or (None,)
    conn.execute("SELECT set_chunk_time_interval('odds_ticks', INTERVAL '30 days')")
    while missing:
        conn.execute(INSERT_PROBE_TICK, [missing[0]])
        conn.execute("DELETE FROM odds_ticks WHERE observed_at = %s AND poll_id = -1", [missing[0]])
        missing = _days_without_chunk(conn, missing)
    conn.execute("SELECT set_chunk_time_interval('odds_ticks', %s::interval)", [interval])


def _days_without_chunk(conn: Connection, days: Sequence[datetime]) -> list[datetime]:
    chunks = conn.execute(SELECT_CHUNK_RANGES, [days[0], days[-1]]).fetchall() if days else []
    return [day for day in days if not any(start <= day < end for start, end in chunks)]
