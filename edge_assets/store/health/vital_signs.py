"""The inputs of health checks, read together by bounded queries; `edge_assets.health` evaluates them.

Light: the watchdog and `edge status` import it, and neither has the time or the memory for numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg.rows import class_row, scalar_row

from edge_assets.store.health.problems import Heartbeat, Problem, load_heartbeats, load_problems, record_heartbeat
from edge_assets.store.health.scorer_failures import ScorerFailure, load_scorer_failures

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

STATEMENT_TIMEOUT_SECONDS = 2
"""A database that takes longer is reported as not answering."""
SELECT_NEWEST_POLLS = """
SELECT s.key AS sport, p.feed, p.observed_at, p.received_at, scored.received_at AS scored_at
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT feed, observed_at, received_at FROM polls
    WHERE sport_id = s.id AND import_id IS NULL ORDER BY observed_at DESC LIMIT 1
) AS p
LEFT JOIN scorer_progress AS done ON s.id = done.sport_id
LEFT JOIN LATERAL (SELECT received_at FROM polls WHERE id = done.poll_id LIMIT 1) AS scored ON true
ORDER BY s.key
"""
"""The limit of one keeps the planner from reading all polls: it takes the handful of sports for a thousand."""
COUNT_UNSCORED_POLLS = """
SELECT count(*), min(u.received_at)
FROM sports AS s
LEFT JOIN scorer_progress AS done ON s.id = done.sport_id
LEFT JOIN LATERAL (SELECT observed_at FROM polls WHERE id = done.poll_id LIMIT 1) AS scored ON true
CROSS JOIN LATERAL (
    SELECT received_at FROM polls
    WHERE sport_id = s.id AND import_id IS NULL AND observed_at > coalesce(scored.observed_at, '-infinity')
    ORDER BY observed_at LIMIT %s
) AS u
WHERE NOT EXISTS (SELECT FROM scorer_failures AS f WHERE f.sport_id = s.id)
"""
"""Excludes sports whose scoring fails; those are reported as failures."""
MAX_UNSCORED_POLLS = 100
"""Of a sport: whether the scorer is a hundred polls behind or a million, the remedy is the same."""
SELECT_BLOCKING_FINDINGS = """
SELECT DISTINCT f.id, f.reason FROM blocked_feeds AS b INNER JOIN quality_findings AS f ON b.finding_id = f.id
ORDER BY f.id LIMIT 5
"""


class NewestPoll(NamedTuple):
    """The newest live poll of a sport; `received_at` is wall clock.

    `scored_at` is when the newest poll came in that has been scored: until then open alerts are known to hold.
    """

    sport: str
    feed: str
    observed_at: datetime
    received_at: datetime
    scored_at: datetime | None


class BlockingFinding(NamedTuple):
    """A finding of the quality gate that keeps the warehouse from being built."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
    """The product's state according to its database; `now` is the server's wall clock (UTC).

    `unscored_polls` counts at most `MAX_UNSCORED_POLLS` a sport; the oldest of them came in at `unscored_since`.
    Sports whose scoring fails are not among them.
    """

    now: datetime
    problems: list[Problem]
    heartbeats: dict[str, Heartbeat]
    newest_polls: list[NewestPoll]
    unscored_polls: int
    unscored_since: datetime | None
    scorer_failures: list[ScorerFailure]
    blocking_findings: list[BlockingFinding]

    @property
    def feed(self) -> str | None:
        """The feed that is polled; None before the first poll."""
        return max(self.newest_polls, key=lambda poll: poll.received_at).feed if self.newest_polls else None

    @property
    def last_poll_at(self) -> datetime | None:
        """When the feed last answered."""
        return max((poll.received_at for poll in self.newest_polls), default=None)


def connect_with_timeout(url: str, name: str) -> Connection:
    """A connection on which neither connecting nor any statement takes longer than `STATEMENT_TIMEOUT_SECONDS`.

    Raises `psycopg.OperationalError` where the server does not answer in that time.
    """
    timeouts = (f"-c {name}_timeout={STATEMENT_TIMEOUT_SECONDS}s" for name in ("statement", "lock"))
    options = " ".join(("-c timezone=UTC", *timeouts))
    return psycopg.connect(
        url, connect_timeout=STATEMENT_TIMEOUT_SECONDS, autocommit=True, application_name=name, options=options
    )


def reset_health(conn: Connection, stack: str) -> None:
    """Delete earlier heartbeats and problems, and record that a stack starts.

    A problem that persists is reported again by the process that meets it.
    """
    with conn.transaction():
        conn.execute("DELETE FROM heartbeats")
        conn.execute("DELETE FROM problems")
        record_heartbeat(conn, stack)


def load_health_snapshot(conn: Connection) -> HealthSnapshot:
    """Read the snapshot; the cost of every query is independent of the length of the history."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        now = cursor.execute("SELECT clock_timestamp()").fetchall()[0]
    with conn.cursor(row_factory=class_row(NewestPoll)) as cursor:
        newest_polls = cursor.execute(SELECT_NEWEST_POLLS).fetchall()
    with conn.cursor(row_factory=class_row(BlockingFinding)) as cursor:
        blocking = cursor.execute(SELECT_BLOCKING_FINDINGS).fetchall()
    unscored, since = conn.execute(COUNT_UNSCORED_POLLS, [MAX_UNSCORED_POLLS]).fetchone() or (0, None)
    return HealthSnapshot(
        now=now,
        problems=load_problems(conn),
        heartbeats=load_heartbeats(conn),
        newest_polls=newest_polls,
        unscored_polls=unscored,
        unscored_since=since,
        scorer_failures=load_scorer_failures(conn),
        blocking_findings=blocking,
    )
