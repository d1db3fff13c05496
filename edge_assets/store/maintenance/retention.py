"""Retention of polled data.

Polled data expires, imported data stays: a user who imports last year's season wants to keep it. Ticks and payloads are
dropped by whole segments of time (partitions, chunks) if these hold no imports, otherwise row by row.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store.health.problems import ProblemKind, load_problems
from edge_assets.store.maintenance import batch_deletion
from edge_assets.store.polls import keyframes
from edge_assets.store.postgres.database import COMMUNITY_EDITION, load_database_info
from edge_assets.store.postgres.partition_bounds import Segment, drop_segment, load_segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.core.retention_days import RetentionDays

TICKS_TABLE, PAYLOADS_TABLE = "odds_ticks", "payloads"
SELECT_NEWEST_POLL_TIME = """
SELECT max(newest.observed_at)
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT p.observed_at FROM polls AS p WHERE p.sport_id = s.id AND p.import_id IS NULL
    ORDER BY p.observed_at DESC LIMIT 1
) AS newest
"""
SELECT_HAS_POLLS_WITHIN = """
SELECT EXISTS (
    SELECT FROM sports AS s
    CROSS JOIN LATERAL (
        SELECT FROM polls AS p
        WHERE
            p.sport_id = s.id AND p.observed_at >= %(since)s AND p.observed_at < %(until)s
            AND (p.import_id IS NULL) = %(live)s
        LIMIT 1
    ) AS poll
)
"""
DELETE_LIVE_ROWS = """
DELETE FROM {} AS t USING polls AS p
WHERE
    t.poll_id = p.id AND p.import_id IS NULL AND t.observed_at >= %(since)s AND t.observed_at < %(until)s
    AND t.observed_at < %(before)s
"""
"""From the table, not from a segment: what TimescaleDB has compressed is not in the chunk that bears its name."""
DAY = timedelta(days=1)
KEYFRAME_COMPACTION_AGE = timedelta(days=7)
"""Until this age all keyframes are kept, for readers of the past."""
LOCK_TIMEOUT = "3s"
"""Dropping a partition locks its table and everything queues behind it: better tomorrow than after a long query."""


@dataclass
class RetentionResult:
    """What a call has dropped, by kind, and the segments postponed to the next call because they are being read."""

    dropped: dict[str, int] = field(default_factory=dict)
    postponed: list[str] = field(default_factory=list)


def apply_retention(conn: Connection, kept: RetentionDays, now: datetime) -> RetentionResult:
    """Drop what is older than `kept` allows, counted from the newest poll, so that a replay's data never expires.

    Days are counted from `now` if that is earlier. While the clock is known to be wrong, nothing is dropped.
    """
    newest = _fetch_value(conn, SELECT_NEWEST_POLL_TIME)
    if newest is None or any(problem.kind == ProblemKind.CLOCK_CHANGED for problem in load_problems(conn)):
        return RetentionResult()
    _remove_timescale_policies(conn)
    until = min(now, newest)
    before, result = kept.cutoffs(until), RetentionResult()
    payloads_empty_until = until
    if before.alerts:
        result.dropped |= batch_deletion.delete_closed_alerts(conn, before.alerts)
    if before.payloads:
        payloads_empty_until = _drop_expired(conn, PAYLOADS_TABLE, before.payloads, result)
        result.dropped |= batch_deletion.delete_unreadable_responses(conn, before.payloads)
    if before.ticks:
        last_poll_ids = batch_deletion.save_current_prices(conn, before.ticks)
        empty_until = min(payloads_empty_until, _drop_expired(conn, TICKS_TABLE, before.ticks, result))
        result.dropped |= batch_deletion.delete_polls(conn, empty_until, last_poll_ids)
    if before.prices:
        result.dropped |= batch_deletion.delete_warehouse_events(conn, before.prices)
    result.dropped |= batch_deletion.delete_result_polls(conn, until)
    result.dropped["keyframes compacted"] = keyframes.compact_keyframes(conn, until - KEYFRAME_COMPACTION_AGE)
    return result


def _remove_timescale_policies(conn: Connection) -> None:
    """Earlier versions left this to TimescaleDB, whose policies do not know what was imported."""
    if load_database_info(conn).edition == COMMUNITY_EDITION:
        for table in (TICKS_TABLE, PAYLOADS_TABLE):
            conn.execute("SELECT remove_retention_policy(%s, if_exists => true)", [table])


def _drop_expired(conn: Connection, table: str, before: datetime, result: RetentionResult) -> datetime:
    """Drop polled rows before a moment; return until when none is left in the table.

    In a segment that is not over, old rows are deleted one by one, unless it is a day, which is dropped whole tomorrow.
    """
    rows = segments = 0
    empty_until = before
    for segment in load_segments(conn, table):
        is_live, is_imported = (_has_polls(conn, segment, live=live) for live in (True, False))
        if segment.since >= before or (is_imported and not is_live):
            continue
        try:
            with _with_lock_timeout(conn):
                if segment.until <= before and not is_imported and _lock_and_verify_no_import(conn, segment):
                    drop_segment(conn, table, segment)
                    segments += 1
                elif segment.until <= before or segment.until - segment.since > DAY:
                    rows += _delete_live_rows(conn, table, segment, before)
                else:
                    empty_until = min(empty_until, segment.since)
        except psycopg.errors.LockNotAvailable:
            result.postponed.append(segment.name)
            empty_until = min(empty_until, segment.since)
    result.dropped |= {f"{table}: segments": segments, f"{table}: rows": rows}
    return empty_until


def _lock_and_verify_no_import(conn: Connection, segment: Segment) -> bool:
    """Lock a segment until the transaction ends, and check again: an import may have added rows before the lock."""
    conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(segment.identifier))
    return not _has_polls(conn, segment, live=False)


def _delete_live_rows(conn: Connection, table: str, segment: Segment, before: datetime) -> int:
    query = sql.SQL(DELETE_LIVE_ROWS).format(sql.Identifier(table))
    return conn.execute(query, {"since": segment.since, "until": segment.until, "before": before}).rowcount


def _has_polls(conn: Connection, segment: Segment, *, live: bool) -> bool:
    """Whether polls of the segment's time are live ones, or imported ones."""
    return bool(_fetch_value(conn, SELECT_HAS_POLLS_WITHIN, since=segment.since, until=segment.until, live=live))


@contextmanager
def _with_lock_timeout(conn: Connection) -> Iterator[None]:
    """A transaction that does not wait long for a lock."""
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        yield


def _fetch_value(conn: Connection, query: str, **values: object) -> Any:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchone()
