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
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from edge_assets.feeds.odds_api.quota import Quota, Spending
    from edge_assets.store.feed_failures import FeedFailure

OWN_PROBLEMS = POLLING_PROBLEMS | {ProblemKind.ANSWER_PARTS_REJECTED, ProblemKind.CLOCK_CHANGED}
"""Of a sport, which its polls show and take away; others show others."""
SECONDS_BETWEEN_REPORTS = 20.0
"""Of a problem that stays as it is: polls can be many a second."""
SECONDS_TOLD_LATE = 300.0
"""For which it is shown, after it is over, that polls could not be stored; the next burst takes it away."""


class FailedPoll(NamedTuple):
    """A poll that failed `at` a moment of the feed's time: as which problem, why, and for how long nobody asks again.

    `spending` is what its answers cost, `quota` what the newest of them that did said of the credits.
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
    told_late_until: float = 0.0

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

    def record(self, failure: FailedPoll) -> bool:
        """Keep a failed poll with what it cost, and show it; true, once that is done."""
        self.failures, self.last = self.failures + 1, None
        feed_failures.record_failure(self.connection, self.sport_id, failure.kind, failure.wait_seconds, failure.error)
        self._account(failure)
        for other in POLLING_PROBLEMS - {failure.kind}:
            self.settle(other)
        self.tell(failure.kind, f"{failure.error} (failure {self.failures} in a row)")
        return True

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Let nobody ask for a while, and show why."""
        feed_failures.postpone(self.connection, self.sport_id, kind, wait_seconds, reason)
        self.tell(kind, reason)

    def clear(self, rejected: str, unnoted: Sequence[FailedPoll] = ()) -> bool:
        """A poll has succeeded; `rejected` is what had to be left out of its answer, in words.

        `unnoted` are the polls before it of which the database took no note. True, once all is written.
        """
        if self.failures or self.last:
            feed_failures.clear_failure(self.connection, self.sport_id)
        self.failures, self.last = 0, None
        is_told_late = time.monotonic() < self.told_late_until
        for kind in POLLING_PROBLEMS - ({ProblemKind.POLL_NOT_STORED} if is_told_late else set()):
            self.settle(kind)
        if unnoted:
            self._tell_late(unnoted)
        if rejected:
            self.tell(ProblemKind.ANSWER_PARTS_REJECTED, rejected)
        else:
            self.settle(ProblemKind.ANSWER_PARTS_REJECTED)
        return True

    def _tell_late(self, unnoted: Sequence[FailedPoll]) -> None:
        """Show for a while what could not be shown in its time, and count what it cost."""
        with self.connection.transaction():
            for failure in unnoted:
                self._account(failure)
        first, last = unnoted[0], unnoted[-1]
        when = f"{len(unnoted)} from {first.at:%H:%M:%S} to {last.at:%H:%M:%S} UTC"
        self.tell(ProblemKind.POLL_NOT_STORED, f"failed polls that could not be noted, {when}: {last.error}")
        self.told_late_until = time.monotonic() + SECONDS_TOLD_LATE

    def _account(self, failure: FailedPoll) -> None:
        """Keep what the answers to a failed poll cost, and said of the credits."""
        if failure.quota.remaining is not None or failure.spending.credits:
            spent = failure.spending.credits
            statement = CreditStatement(failure.at, failure.quota.remaining, spent, self.sport_id)
            write_statement(self.connection, self.feed, statement)

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
