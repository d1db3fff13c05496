"""What tells whether the product works, read in one go by bounded queries: `edge_assets.health` judges it.

Light: the watchdog and `edge status` import it, and neither has the time or the memory for numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg.rows import class_row, scalar_row

from edge_assets.store.problems import Heartbeat, Problem, beat, read_heartbeats, read_problems
from edge_assets.store.scorer_failures import ScorerFailure, failing_sports

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

ANSWER_SECONDS = 2
"""A database that takes longer is told as one that does not answer."""
SELECT_NEWEST_LOOKS = """
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
SELECT_UNSCORED = """
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
"""Of sports that can be scored: what waits for one that cannot is told as its failure."""
MOST_UNSCORED_COUNTED = 100
"""Of a sport: whether the scorer is a hundred polls behind or a million, the remedy is the same."""
SELECT_BLOCKING_FINDINGS = """
SELECT DISTINCT f.id, f.reason FROM blocked_feeds AS b INNER JOIN quality_findings AS f ON b.finding_id = f.id
ORDER BY f.id LIMIT 5
"""


class NewestLook(NamedTuple):
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
class VitalSigns:
    """How the product fares by its database; `now` is that server's wall clock (UTC).

    `unscored_polls` counts at most `MOST_UNSCORED_COUNTED` a sport; the oldest of them came in at `unscored_since`.
    Sports whose scoring fails are not among them.
    """

    now: datetime
    problems: list[Problem]
    heartbeats: dict[str, Heartbeat]
    looks: list[NewestLook]
    unscored_polls: int
    unscored_since: datetime | None
    scorer_failures: list[ScorerFailure]
    blocking_findings: list[BlockingFinding]

    @property
    def feed(self) -> str | None:
        """The feed that is polled; None before the first poll."""
        return max(self.looks, key=lambda look: look.received_at).feed if self.looks else None

    @property
    def last_poll_at(self) -> datetime | None:
        """When the feed was last heard."""
        return max((look.received_at for look in self.looks), default=None)


def connect_briefly(url: str, name: str) -> Connection:
    """A connection on which neither connecting nor any statement takes longer than `ANSWER_SECONDS`.

    Raises `psycopg.OperationalError` where the server does not answer in that time.
    """
    options = f"-c timezone=UTC -c statement_timeout={ANSWER_SECONDS}s -c lock_timeout={ANSWER_SECONDS}s"
    return psycopg.connect(url, connect_timeout=ANSWER_SECONDS, autocommit=True, application_name=name, options=options)


def begin_life(conn: Connection, stack: str) -> None:
    """Forget what the services of an earlier life have shown and reported, and show that a stack begins.

    A problem that is still there is reported anew by whoever meets it.
    """
    with conn.transaction():
        conn.execute("DELETE FROM heartbeats")
        conn.execute("DELETE FROM problems")
        beat(conn, stack)


def read_vital_signs(conn: Connection) -> VitalSigns:
    """Read them; every query touches a number of pages that does not grow with the history."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        now = cursor.execute("SELECT clock_timestamp()").fetchall()[0]
    with conn.cursor(row_factory=class_row(NewestLook)) as cursor:
        looks = cursor.execute(SELECT_NEWEST_LOOKS).fetchall()
    with conn.cursor(row_factory=class_row(BlockingFinding)) as cursor:
        blocking = cursor.execute(SELECT_BLOCKING_FINDINGS).fetchall()
    unscored, since = conn.execute(SELECT_UNSCORED, [MOST_UNSCORED_COUNTED]).fetchone() or (0, None)
    return VitalSigns(
        now=now,
        problems=read_problems(conn),
        heartbeats=read_heartbeats(conn),
        looks=looks,
        unscored_polls=unscored,
        unscored_since=since,
        scorer_failures=failing_sports(conn),
        blocking_findings=blocking,
    )
