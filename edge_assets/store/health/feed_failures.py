"""Sports whose polls are failing: written by bursts, so that the next burst knows when to retry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.store.health.problems import ProblemKind

UPSERT_FEED_FAILURE = """
INSERT INTO feed_failures (sport_id, failures, failing_since, failed_at, retry_at, kind, error)
VALUES (
    %(sport)s, %(failures)s, statement_timestamp(), statement_timestamp(),
    statement_timestamp() + %(wait)s * interval '1 second', %(kind)s, %(error)s
)
ON CONFLICT (sport_id) DO UPDATE SET failures = feed_failures.failures + excluded.failures,
failed_at = excluded.failed_at, retry_at = excluded.retry_at, kind = excluded.kind, error = excluded.error
"""
SELECT_FEED_FAILURES = """
SELECT s.key AS sport, f.failures, f.failing_since, f.failed_at, f.retry_at, f.kind, f.error
FROM feed_failures AS f
INNER JOIN sports AS s ON f.sport_id = s.id
ORDER BY s.key
"""


@dataclass(frozen=True, slots=True)
class FeedFailure:
    """A sport whose polls fail: `failures` in a row since `failing_since`, the last `error`, the next try (UTC).

    0 failures: polling is postponed without a failed poll.
    """

    sport: str
    failures: int
    failing_since: datetime
    failed_at: datetime
    retry_at: datetime
    kind: str
    error: str


def record_failure(conn: Connection, sport_id: int, kind: ProblemKind, wait_seconds: float, error: str) -> None:
    """Record that a poll of a sport has failed, why, and how long to wait before retrying."""
    _upsert_failure(conn, sport_id, kind, wait_seconds, error, 1)


def postpone_polls(conn: Connection, sport_id: int, kind: ProblemKind, wait_seconds: float, reason: str) -> None:
    """Postpone polls of a sport although none has failed."""
    _upsert_failure(conn, sport_id, kind, wait_seconds, reason, 0)


def _upsert_failure(
    conn: Connection, sport_id: int, kind: ProblemKind, wait_seconds: float, error: str, failures: int
) -> None:
    try:
        text = clean_text(error[:MAX_TEXT_LENGTH])
    except UnusableTextError:
        text = "detail not storable"
    values = {"sport": sport_id, "kind": kind.value, "wait": wait_seconds, "error": text, "failures": failures}
    conn.execute(UPSERT_FEED_FAILURE, values)


def clear_failure(conn: Connection, sport_id: int) -> None:
    """Note that a poll of a sport has succeeded."""
    conn.execute("DELETE FROM feed_failures WHERE sport_id = %s", [sport_id])


def load_feed_failures(conn: Connection) -> dict[str, FeedFailure]:
    """The sports whose polls fail at present, by key."""
    with conn.cursor(row_factory=class_row(FeedFailure)) as cursor:
        return {failure.sport: failure for failure in cursor.execute(SELECT_FEED_FAILURES)}
