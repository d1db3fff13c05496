"""What is wrong with a sport, kept in the database: its failed polls across bursts, and the problems that are shown."""

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
"""Of a sport, which its polls show and take away; others show others."""
MIN_REPORT_INTERVAL_SECONDS = 20.0
"""Of a problem that stays as it is: polls can be many a second."""
LATE_REPORT_SHOWN_SECONDS = 300.0
"""For which it is shown, after it is over, that polls could not be stored; the next burst takes it away."""


class FailedPoll(NamedTuple):
    """A poll that failed `at` a moment of the feed's time: as which problem, why, and for how long nobody asks again.

    `spending` is what its answers cost, `quota` what the newest of them that did said of the credits.
    """

    failed_at: datetime
    kind: ProblemKind
    wait_seconds: float
    error: str
    spending: Spending
    quota: Quota

    @property
    def lost(self) -> LostPoll:
        """What is kept of it where the database takes no note."""
        return LostPoll(self.failed_at, self.error, self.spending.credits, self.quota.remaining)


@dataclass(slots=True)
class SportProblems:
    """The troubles of one sport on one connection. `failures`: polls that failed in a row."""

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
        """What is known from before."""
        last_failure = feed_failures.load_feed_failures(connection).get(sport)
        shown = [problem for problem in load_problems(connection) if problem.subject == sport]
        reported = {problem.kind: problem.detail for problem in shown if problem.kind in SPORT_PROBLEMS}
        return cls(
            connection, feed, sport, sport_id, last_failure.failures if last_failure else 0, last_failure, reported
        )

    @property
    def has_any(self) -> bool:
        """Whether a poll failed or was put off, or something is shown."""
        return bool(self.failures or self.last_failure or self.reported)

    def seconds_until_retry(self, now: datetime) -> float:
        """Seconds for which earlier bursts have put off the next try."""
        if self.last_failure is None or is_in_future(self.last_failure.failed_at, now):
            return 0.0
        return max(0.0, (self.last_failure.retry_at - now).total_seconds())

    def record_failure(self, failure: FailedPoll) -> bool:
        """Keep a failed poll with what it cost, and show it; true, once that is done."""
        self.failures, self.last_failure = self.failures + 1, None
        kind, error = failure.kind, failure.error
        with self.connection.transaction():  # what is half noted would be noted again, later, and its cost with it
            feed_failures.record_failure(self.connection, self.sport_id, kind, failure.wait_seconds, error)
            self._record_credits(failure.lost)
            for other in POLLING_PROBLEMS - {kind}:
                self.resolve(other)
            self.report(kind, f"{error} (failure {self.failures} in a row)")
        return True

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Let nobody ask for a while, and show why."""
        feed_failures.postpone_polls(self.connection, self.sport_id, kind, wait_seconds, reason)
        self.report(kind, reason)

    def record_success(self, rejected: str, unrecorded: Sequence[LostPoll] = ()) -> bool:
        """A poll has succeeded; `rejected` is what had to be left out of its answer, in words.

        `unnoted` are the polls before it of which the database took no note. True, once all is written.
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

    def report_late(self, unnoted: Sequence[LostPoll]) -> bool:
        """Show for a while what could not be shown in its time, and count what it cost; true, once that is done."""
        with self.connection.transaction():
            for lost in unnoted:
                self._record_credits(lost)
            self.report(ProblemKind.POLL_NOT_STORED, summarize(unnoted))
        self.late_report_until = time.monotonic() + LATE_REPORT_SHOWN_SECONDS
        return True

    def _record_credits(self, lost: LostPoll) -> None:
        """Keep what the answers to a failed poll cost, and said of the credits, if they did."""
        if lost.remaining is not None or lost.credits:
            statement = CreditStatement(lost.at, lost.remaining, lost.credits, self.sport_id)
            write_credit_statement(self.connection, self.feed, statement)

    def report(self, kind: ProblemKind, detail: str) -> None:
        """Show a problem of the sport; what was told a moment ago need not be told again."""
        now = time.monotonic()
        if self.reported.get(kind) == detail and now < self.reported_at.get(kind, 0.0) + MIN_REPORT_INTERVAL_SECONDS:
            return
        report_problem(self.connection, kind, self.sport, detail)
        self.reported[kind], self.reported_at[kind] = detail, now

    def resolve(self, kind: ProblemKind) -> None:
        """Take a problem away, if it was shown."""
        if self.reported.pop(kind, None) is not None:
            clear_problem(self.connection, kind, self.sport)
