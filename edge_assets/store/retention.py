"""How long a database keeps what grows in it.

What was polled goes, what was imported stays: who imports a season of last year wants to keep it. Ticks and payloads
go by whole segments of time (partitions, chunks) where nothing imported is in them, else row by row.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store import expiry, offers
from edge_assets.store.database import COMMUNITY, describe
from edge_assets.store.problems import ProblemKind, read_problems
from edge_assets.store.segments import Segment, drop_segment, segments_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.kept_days import KeptDays

TICKS, PAYLOADS = "odds_ticks", "payloads"
NEWEST_LOOK = """
SELECT max(newest.observed_at)
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT p.observed_at FROM polls AS p WHERE p.sport_id = s.id AND p.import_id IS NULL
    ORDER BY p.observed_at DESC LIMIT 1
) AS newest
"""
HAS_LOOKS_WITHIN = """
SELECT EXISTS (
    SELECT FROM sports AS s
    CROSS JOIN LATERAL (
        SELECT FROM polls AS p
        WHERE
            p.sport_id = s.id AND p.observed_at >= %(since)s AND p.observed_at < %(until)s
            AND (p.import_id IS NULL) = %(live)s
        LIMIT 1
    ) AS look
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
THINNED_AFTER = timedelta(days=7)
"""As long as all keyframes are kept, for whoever looks back."""
LOCK_TIMEOUT = "3s"
"""Dropping a partition locks its table and everybody queues behind: better tomorrow than after a long query."""


@dataclass
class Retained:
    """What a call has dropped, by kind, and the segments that stay until the next call because somebody reads them."""

    dropped: dict[str, int] = field(default_factory=dict)
    postponed: list[str] = field(default_factory=list)


def retain(conn: Connection, kept: KeptDays, now: datetime) -> Retained:
    """Drop what is older than `kept` says, by the time of the newest poll: a replay's past is never too old.

    Days are counted back from `now` at most. While the clock is known to be wrong, nothing is dropped.
    """
    newest = _scalar(conn, NEWEST_LOOK)
    if newest is None or any(problem.kind == ProblemKind.CLOCK_CHANGED for problem in read_problems(conn)):
        return Retained()
    _remove_policies(conn)
    until = min(now, newest)
    before, done = kept.since(until), Retained()
    payloads_empty_until = until
    if before.alerts:
        done.dropped |= expiry.forget_alerts(conn, before.alerts)
    if before.payloads:
        payloads_empty_until = _drop(conn, PAYLOADS, before.payloads, done)
        done.dropped |= expiry.forget_unreadable(conn, before.payloads)
    if before.ticks:
        last_looks = expiry.keep_standing_prices(conn, before.ticks)
        empty_until = min(payloads_empty_until, _drop(conn, TICKS, before.ticks, done))
        done.dropped |= expiry.forget_looks(conn, empty_until, last_looks)
    if before.prices:
        done.dropped |= expiry.forget_games(conn, before.prices)
    done.dropped |= expiry.forget_result_looks(conn, until)
    done.dropped["keyframes thinned out"] = offers.thin(conn, until - THINNED_AFTER)
    return done


def _remove_policies(conn: Connection) -> None:
    """Earlier versions left this to TimescaleDB, whose policies do not know what was imported."""
    if describe(conn).edition == COMMUNITY:
        for table in (TICKS, PAYLOADS):
            conn.execute("SELECT remove_retention_policy(%s, if_exists => true)", [table])


def _drop(conn: Connection, table: str, before: datetime, done: Retained) -> datetime:
    """Drop what was polled before a moment; returns up to when nothing of it is left in the table.

    Of a segment that is not over what is too old goes row by row, unless it is a day, which goes whole tomorrow.
    """
    rows = segments = 0
    empty_until = before
    for segment in segments_of(conn, table):
        is_live, is_imported = (_has_looks(conn, segment, live=live) for live in (True, False))
        if segment.since >= before or (is_imported and not is_live):
            continue
        try:
            with _impatient(conn):
                if segment.until <= before and not is_imported and _holds_no_import(conn, segment):
                    drop_segment(conn, table, segment)
                    segments += 1
                elif segment.until <= before or segment.until - segment.since > DAY:
                    rows += _delete_live_rows(conn, table, segment, before)
                else:
                    empty_until = min(empty_until, segment.since)
        except psycopg.errors.LockNotAvailable:
            done.postponed.append(segment.name)
            empty_until = min(empty_until, segment.since)
    done.dropped |= {f"{table}: segments": segments, f"{table}: single rows": rows}
    return empty_until


def _holds_no_import(conn: Connection, segment: Segment) -> bool:
    """Lock a segment for good, and look again: an import may have brought something until it was locked."""
    conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(segment.identifier))
    return not _has_looks(conn, segment, live=False)


def _delete_live_rows(conn: Connection, table: str, segment: Segment, before: datetime) -> int:
    query = sql.SQL(DELETE_LIVE_ROWS).format(sql.Identifier(table))
    return conn.execute(query, {"since": segment.since, "until": segment.until, "before": before}).rowcount


def _has_looks(conn: Connection, segment: Segment, *, live: bool) -> bool:
    """Whether polls of the segment's time are live ones, or imported ones."""
    return bool(_scalar(conn, HAS_LOOKS_WITHIN, since=segment.since, until=segment.until, live=live))


@contextmanager
def _impatient(conn: Connection) -> Iterator[None]:
    """A transaction that does not wait long for a lock."""
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        yield


def _scalar(conn: Connection, query: str, **values: object) -> Any:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchone()
