"""What is wrong with a sport, kept in the database: its failed polls across bursts, and the problems that are shown."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.ingestion.cadence import is_ahead
from edge_assets.ingestion.failures import POLLING_PROBLEMS
from edge_assets.store import feed_failures
from edge_assets.store.credits import CreditStatement, write_statement
from edge_assets.store.problems import ProblemKind, clear_problem, read_problems, report_problem

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from edge_assets.feeds.odds_api.quota import Quota, Spending
    from edge_assets.store.feed_failures import FeedFailure

OWN_PROBLEMS = POLLING_PROBLEMS | {ProblemKind.ANSWER_PARTS_REJECTED, ProblemKind.CLOCK_CHANGED}
"""Of a sport, which its polls show and take away; others show others."""
SECONDS_BETWEEN_REPORTS = 20.0
"""Of a problem that stays as it is: polls can be many a second."""


class FailedPoll(NamedTuple):
    """A poll that failed `at` a moment of the feed's time: as which problem, why, and for how long nobody asks again.

    `spending` is what its answers cost, `quota` what the last of them said of the credits.
    """

    at: datetime
    kind: ProblemKind
    wait_seconds: float
    error: str
    spending: Spending
    quota: Quota


@dataclass(slots=True)
class Troubles:
    """The troubles of one sport on one connection. `failures`: polls that failed in a row."""

    connection: psycopg.Connection
    feed: str
    sport: str
    sport_id: int
    failures: int = 0
    last: FeedFailure | None = None
    told: dict[str, str] = field(default_factory=dict)
    told_at: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: psycopg.Connection, feed: str, sport: str, sport_id: int) -> Troubles:
        """What is known from before."""
        last = feed_failures.failing_sports(connection).get(sport)
        shown = [problem for problem in read_problems(connection) if problem.subject == sport]
        told = {problem.kind: problem.detail for problem in shown if problem.kind in OWN_PROBLEMS}
        return cls(connection, feed, sport, sport_id, last.failures if last else 0, last, told)

    @property
    def is_any(self) -> bool:
        """Whether a poll failed or was put off, or something is shown."""
        return bool(self.failures or self.last or self.told)

    def retry_in(self, now: datetime) -> float:
        """Seconds for which earlier bursts have put off the next try."""
        if self.last is None or is_ahead(self.last.failed_at, now):
            return 0.0
        return max(0.0, (self.last.retry_at - now).total_seconds())

    def record(self, failure: FailedPoll) -> None:
        """Keep a failed poll with what it cost, and show it."""
        self.failures, self.last = self.failures + 1, None
        feed_failures.record_failure(self.connection, self.sport_id, failure.kind, failure.wait_seconds, failure.error)
        if failure.quota.remaining is not None or failure.spending.credits:
            spent = failure.spending.credits
            statement = CreditStatement(failure.at, failure.quota.remaining, spent, self.sport_id)
            write_statement(self.connection, self.feed, statement)
        for other in POLLING_PROBLEMS - {failure.kind}:
            self.settle(other)
        self.tell(failure.kind, f"{failure.error} (failure {self.failures} in a row)")

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Let nobody ask for a while, and show why."""
        feed_failures.postpone(self.connection, self.sport_id, kind, wait_seconds, reason)
        self.tell(kind, reason)

    def clear(self, rejected: str) -> None:
        """A poll has succeeded; `rejected` is what had to be left out of its answer, in words."""
        if self.failures or self.last:
            feed_failures.clear_failure(self.connection, self.sport_id)
        self.failures, self.last = 0, None
        for kind in POLLING_PROBLEMS:
            self.settle(kind)
        if rejected:
            self.tell(ProblemKind.ANSWER_PARTS_REJECTED, rejected)
        else:
            self.settle(ProblemKind.ANSWER_PARTS_REJECTED)

    def tell(self, kind: ProblemKind, detail: str) -> None:
        """Show a problem of the sport; what was told a moment ago need not be told again."""
        now = time.monotonic()
        if self.told.get(kind) == detail and now < self.told_at.get(kind, 0.0) + SECONDS_BETWEEN_REPORTS:
            return
        report_problem(self.connection, kind, self.sport, detail)
        self.told[kind], self.told_at[kind] = detail, now

    def settle(self, kind: ProblemKind) -> None:
        """Take a problem away, if it was shown."""
        if self.told.pop(kind, None) is not None:
            clear_problem(self.connection, kind, self.sport)
