"""What is wrong with a sport, kept in the database: its failed polls across bursts, and the problems that are shown."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.ingestion.cadence import is_ahead
from edge_assets.ingestion.failures import POLLING_PROBLEMS
from edge_assets.lost_polls import LostPoll, summary
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

    @property
    def lost(self) -> LostPoll:
        """What is kept of it where the database takes no note."""
        return LostPoll(self.at, self.error, self.spending.credits, self.quota.remaining)


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
        kind, error = failure.kind, failure.error
        with self.connection.transaction():  # what is half noted would be noted again, later, and its cost with it
            feed_failures.record_failure(self.connection, self.sport_id, kind, failure.wait_seconds, error)
            self._account(failure.lost)
            for other in POLLING_PROBLEMS - {kind}:
                self.settle(other)
            self.tell(kind, f"{error} (failure {self.failures} in a row)")
        return True

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Let nobody ask for a while, and show why."""
        feed_failures.postpone(self.connection, self.sport_id, kind, wait_seconds, reason)
        self.tell(kind, reason)

    def clear(self, rejected: str, unnoted: Sequence[LostPoll] = ()) -> bool:
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
            self.tell_late(unnoted)
        if rejected:
            self.tell(ProblemKind.ANSWER_PARTS_REJECTED, rejected)
        else:
            self.settle(ProblemKind.ANSWER_PARTS_REJECTED)
        return True

    def tell_late(self, unnoted: Sequence[LostPoll]) -> bool:
        """Show for a while what could not be shown in its time, and count what it cost; true, once that is done."""
        with self.connection.transaction():
            for lost in unnoted:
                self._account(lost)
            self.tell(ProblemKind.POLL_NOT_STORED, summary(unnoted))
        self.told_late_until = time.monotonic() + SECONDS_TOLD_LATE
        return True

    def _account(self, lost: LostPoll) -> None:
        """Keep what the answers to a failed poll cost, and said of the credits, if they did."""
        if lost.remaining is not None or lost.credits:
            statement = CreditStatement(lost.at, lost.remaining, lost.credits, self.sport_id)
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
