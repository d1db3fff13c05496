"""Current problems and the services' heartbeats: written by whichever process notices, read by every status."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from psycopg import Connection

UPSERT_PROBLEM = """
INSERT INTO problems (kind, subject, since, seen_at, times, detail)
VALUES (%s, %s, clock_timestamp(), clock_timestamp(), 1, %s)
ON CONFLICT (kind, subject) DO UPDATE SET
    seen_at = excluded.seen_at, times = problems.times + 1, detail = excluded.detail
"""
UPSERT_HEARTBEAT = """
INSERT INTO heartbeats (service, beat_at, detail) VALUES (%s, clock_timestamp(), %s)
ON CONFLICT (service) DO UPDATE SET beat_at = excluded.beat_at, detail = excluded.detail
"""


class ProblemKind(StrEnum):
    """What can be wrong; `edge_assets.health` has the remedies."""

    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"
    CREDITS_SHORT = "credits_short"
    FEED_UNREACHABLE = "feed_unreachable"
    FEED_ANSWER_UNUSABLE = "feed_answer_unusable"
    ANSWER_PARTS_REJECTED = "answer_parts_rejected"
    POLL_NOT_STORED = "poll_not_stored"
    POLL_OVERDUE = "poll_overdue"
    RUN_FAILED = "run_failed"
    CLOCK_CHANGED = "clock_changed"
    SCORER_BEHIND = "scorer_behind"
    SCORING_FAILS = "scoring_fails"
    ALERTS_NOT_PUBLISHED = "alerts_not_published"
    SERVICE_DOWN = "service_down"
    SERVICE_HANGS = "service_hangs"
    DATABASE_UNREACHABLE = "database_unreachable"
    REDIS_UNREACHABLE = "redis_unreachable"
    REDIS_REFUSES_WRITES = "redis_refuses_writes"
    DISK_LOW = "disk_low"
    DISK_FULL = "disk_full"
    MEMORY_LOW = "memory_low"
    WAREHOUSE_BLOCKED = "warehouse_blocked"
    RECORDING_ENDED = "recording_ended"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong `since` (UTC): with `subject` (a sport, a service; "" where it concerns everything)."""

    kind: str
    subject: str
    since: datetime
    seen_at: datetime
    times: int
    detail: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A service's last heartbeat (UTC, the database's clock) and its details."""

    service: str
    beat_at: datetime
    detail: dict[str, Any]


def report_problem(conn: Connection, kind: ProblemKind, subject: str, detail: str) -> None:
    """Record a problem, or that it persists; `detail` may quote external input."""
    try:
        text = clean_text(detail[:MAX_TEXT_LENGTH]) if detail else ""
    except UnusableTextError:
        text = "detail not storable"
    conn.execute(UPSERT_PROBLEM, [kind.value, subject, text])


def clear_problem(conn: Connection, kind: ProblemKind, subject: str) -> None:
    """Record that a problem is solved."""
    conn.execute("DELETE FROM problems WHERE kind = %s AND subject = %s", [kind.value, subject])


def clear_other_subjects(conn: Connection, kinds: Collection[ProblemKind], subjects: Collection[str]) -> None:
    """Clear problems of these kinds for all subjects except `subjects` and ""."""
    query = "DELETE FROM problems WHERE kind = ANY(%s) AND subject <> ALL(%s)"
    conn.execute(query, [[kind.value for kind in kinds], ["", *subjects]])


def load_problems(conn: Connection) -> list[Problem]:
    """All current problems, the oldest first."""
    with conn.cursor(row_factory=class_row(Problem)) as cursor:
        return cursor.execute("SELECT * FROM problems ORDER BY since, kind, subject").fetchall()


def record_heartbeat(conn: Connection, service: str, **detail: Any) -> None:
    """Show that a service works."""
    conn.execute(UPSERT_HEARTBEAT, [service, Jsonb(detail)])


def load_heartbeats(conn: Connection) -> dict[str, Heartbeat]:
    """The last sign of life of each service that has ever shown one."""
    with conn.cursor(row_factory=class_row(Heartbeat)) as cursor:
        return {row.service: row for row in cursor.execute("SELECT * FROM heartbeats")}


def seconds_since_heartbeat(conn: Connection, service: str) -> float:
    """Seconds since a service last showed that it works; infinite if it never has."""
    query = "SELECT extract(EPOCH FROM clock_timestamp() - beat_at)::float FROM heartbeats WHERE service = %s"
    row = conn.execute(query, [service]).fetchone()
    return float(row[0]) if row else math.inf
