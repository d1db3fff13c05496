"""A sport's problems in the database: its failed polls across bursts, and the problems shown to the user."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.lost_polls import LostPoll, summarize
from edge_assets.ingestion.backoff import POLLING_PROBLEMS
from edge_assets.ingestion.cadence import is_in_future
from edge_assets.store.health import feed_failures
from edge_assets.store.health.problems import ProblemKind, clear_problem, load_problems, report_problem
from edge_assets.store.polls.credits import CreditStatement, write_credit_statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from edge_assets.feeds.odds_api.quota import Quota, Spending
    from edge_assets.store.health.feed_failures import FeedFailure

SPORT_PROBLEMS = POLLING_PROBLEMS | {ProblemKind.ANSWER_PARTS_REJECTED, ProblemKind.CLOCK_CHANGED}
"""The problems of a sport that its polls report and clear; other problems are reported elsewhere."""
MIN_REPORT_INTERVAL_SECONDS = 20.0
"""Between two reports of an unchanged problem: there can be many polls a second."""
LATE_REPORT_SHOWN_SECONDS = 300.0
"""How long past lost polls are shown; the next burst clears them."""


class FailedPoll(NamedTuple):
    """A poll that failed at `failed_at` (the feed's time): its kind of problem, its error, and the wait before the
    next.

    `spending` is the cost of its responses, `quota` the newest statement of credits in them.
    """

    failed_at: datetime
    kind: ProblemKind
    wait_seconds: float
    error: str
    spending: Spending
    quota: Quota

    @property
    def lost_poll(self) -> LostPoll:
        """The record kept in a file while the database cannot store it."""
        return LostPoll(self.failed_at, self.error, self.spending.credits, self.quota.remaining)


@dataclass(slots=True)
class SportProblems:
    """The problems of one sport on one connection. `failures`: failed polls in a row."""

    connection: psycopg.Connection
    feed: str
    sport: str
    sport_id: int
    failures: int = 0
    last_failure: FeedFailure | None = None
    reported: dict[str, str] = field(default_factory=dict)
    reported_at: dict[str, float] = field(default_factory=dict)
    late_report_until: float = 0.0

    @classmethod
    def load(cls, connection: psycopg.Connection, feed: str, sport: str, sport_id: int) -> SportProblems:
        """Load the problems that earlier bursts have stored."""
        last_failure = feed_failures.load_feed_failures(connection).get(sport)
        shown = [problem for problem in load_problems(connection) if problem.subject == sport]
        reported = {problem.kind: problem.detail for problem in shown if problem.kind in SPORT_PROBLEMS}
        return cls(
            connection, feed, sport, sport_id, last_failure.failures if last_failure else 0, last_failure, reported
        )

    @property
    def has_any(self) -> bool:
        """Whether a poll failed or was postponed, or a problem is shown."""
        return bool(self.failures or self.last_failure or self.reported)

    def seconds_until_retry(self, now: datetime) -> float:
        """Seconds left of the wait that an earlier failure imposed."""
        if self.last_failure is None or is_in_future(self.last_failure.failed_at, now):
            return 0.0
        return max(0.0, (self.last_failure.retry_at - now).total_seconds())

    def record_failure(self, failure: FailedPoll) -> bool:
        """Store a failed poll with its cost, and report it; returns true when done."""
        self.failures, self.last_failure = self.failures + 1, None
        kind, error = failure.kind, failure.error
        with self.connection.transaction():  # all or nothing: a partial record would be written again, with its cost
            feed_failures.record_failure(self.connection, self.sport_id, kind, failure.wait_seconds, error)
            self._record_credits(failure.lost_poll)
            for other in POLLING_PROBLEMS - {kind}:
                self.resolve(other)
            self.report(kind, f"{error} (failure {self.failures} in a row)")
        return True

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Postpone the sport's polls, and report why."""
        feed_failures.postpone_polls(self.connection, self.sport_id, kind, wait_seconds, reason)
        self.report(kind, reason)

    def record_success(self, rejected: str, unrecorded: Sequence[LostPoll] = ()) -> bool:
        """Clear the problems that a successful poll disproves; `rejected` describes the rejected parts of its response.

        `unrecorded` are earlier failed polls that the database could not store. Returns true when all is written.
        """
        if self.failures or self.last_failure:
            feed_failures.clear_failure(self.connection, self.sport_id)
        self.failures, self.last_failure = 0, None
        is_late_report_shown = time.monotonic() < self.late_report_until
        for kind in POLLING_PROBLEMS - ({ProblemKind.POLL_NOT_STORED} if is_late_report_shown else set()):
            self.resolve(kind)
        if unrecorded:
            self.report_late(unrecorded)
        if rejected:
            self.report(ProblemKind.ANSWER_PARTS_REJECTED, rejected)
        else:
            self.resolve(ProblemKind.ANSWER_PARTS_REJECTED)
        return True

    def report_late(self, unrecorded: Sequence[LostPoll]) -> bool:
        """Report for a while the polls that could not be recorded in time, and count their cost; returns true when
        done.
        """
        with self.connection.transaction():
            for lost in unrecorded:
                self._record_credits(lost)
            self.report(ProblemKind.POLL_NOT_STORED, summarize(unrecorded))
        self.late_report_until = time.monotonic() + LATE_REPORT_SHOWN_SECONDS
        return True

    def _record_credits(self, lost: LostPoll) -> None:
        """Store the cost of a failed poll and the credits left, if its responses stated any."""
        if lost.remaining is not None or lost.credits:
            statement = CreditStatement(lost.at, lost.remaining, lost.credits, self.sport_id)
            write_credit_statement(self.connection, self.feed, statement)

    def report(self, kind: ProblemKind, detail: str) -> None:
        """Report a problem of the sport, unless the same report was made a moment ago."""
        now = time.monotonic()
        if self.reported.get(kind) == detail and now < self.reported_at.get(kind, 0.0) + MIN_REPORT_INTERVAL_SECONDS:
            return
        report_problem(self.connection, kind, self.sport, detail)
        self.reported[kind], self.reported_at[kind] = detail, now

    def resolve(self, kind: ProblemKind) -> None:
        """Clear a problem, if it is reported."""
        if self.reported.pop(kind, None) is not None:
            clear_problem(self.connection, kind, self.sport)
