"""Sports that the scorer currently cannot score: written by the scorer, read for its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

UPSERT_SCORER_FAILURE = """
INSERT INTO scorer_failures (sport_id, failures, failing_since, failed_at, retry_at, error)
VALUES (
    %(sport)s, 1, statement_timestamp(), statement_timestamp(),
    statement_timestamp() + %(wait)s * interval '1 second', %(error)s
)
ON CONFLICT (sport_id) DO UPDATE SET failures = scorer_failures.failures + 1, failed_at = excluded.failed_at,
retry_at = excluded.retry_at, error = excluded.error
"""
SELECT_SCORER_FAILURES = """
SELECT s.key AS sport, f.failures, f.failing_since, f.failed_at, f.retry_at, f.error
FROM scorer_failures AS f
INNER JOIN sports AS s ON f.sport_id = s.id
ORDER BY s.key
"""


@dataclass(frozen=True, slots=True)
class ScorerFailure:
    """A sport that is not scored: `failures` in a row since `failing_since`, the last `error`, the next try (UTC)."""

    sport: str
    failures: int
    failing_since: datetime
    failed_at: datetime
    retry_at: datetime
    error: str


def record_failure(conn: Connection, sport_id: int, retry_in_seconds: float, error: str) -> None:
    """Record that scoring a sport has failed again, and why."""
    conn.execute(UPSERT_SCORER_FAILURE, {"sport": sport_id, "wait": retry_in_seconds, "error": error})


def clear_failure(conn: Connection, sport_id: int) -> None:
    """Record that a sport is scored again."""
    conn.execute("DELETE FROM scorer_failures WHERE sport_id = %s", [sport_id])


def count_failures_in_a_row(conn: Connection) -> dict[int, int]:
    """How often scoring has failed, by sport; sports that are scored are absent."""
    return dict(conn.execute("SELECT sport_id, failures FROM scorer_failures").fetchall())


def load_scorer_failures(conn: Connection) -> list[ScorerFailure]:
    """The sports that are not scored at present, by key."""
    with conn.cursor(row_factory=class_row(ScorerFailure)) as cursor:
        return cursor.execute(SELECT_SCORER_FAILURES).fetchall()
