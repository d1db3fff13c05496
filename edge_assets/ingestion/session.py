"""The database side of one sport's turn: the lease, the last known quotes, the write and the outbox.

All of it shares one connection on purpose: the lease is an advisory lock of that connection, so whoever
lost the connection lost the lease too and cannot write beside its successor.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import psycopg

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.core.lost_polls import LostPoll, LostPolls
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.limits import NEW_BOOK_LIMITS, NEW_MARKET_LIMITS, NEW_OUTCOME_LIMITS
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.ingestion.problem_log import SportProblems
from edge_assets.ingestion.records import PollTimes, activity_after_poll, build_poll_record
from edge_assets.ingestion.request_scope import RequestScope
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.polls import as_of, keyframes, outbox
from edge_assets.store.polls.activity import find_received_at
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.leases import Lease
from edge_assets.store.polls.unreadable import write_unreadable_answer
from edge_assets.store.polls.writer import write_poll
from edge_assets.store.postgres.database import connect, is_connection_lost
from ml.quotes import PollChanges

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge_assets.feeds.odds_api.client import OddsRequest, Payload
    from edge_assets.feeds.odds_api.diff import Diff
    from edge_assets.feeds.odds_api.quota import Quota, Spending
    from edge_assets.ingestion.context import BurstContext, BurstRequest
    from edge_assets.ingestion.problem_log import FailedPoll

T = TypeVar("T")

RECONNECT_TIMEOUT_SECONDS = 30.0
RECONNECT_INTERVAL_SECONDS = 0.2
HANDOVER_LEAD_SECONDS = 20.0
"""Seconds before the end of a burst when its successor is requested; a run takes about 4 s to get here."""

log = logging.getLogger(__name__)


class LeaseLostError(RuntimeError):
    """Another burst holds the sport."""

    def __init__(self) -> None:
        super().__init__("another burst holds the lease")


@dataclass(frozen=True, slots=True)
class CommittedPoll:
    """A poll that is now in the database: what it changed, what its payload said, what it tells the meter."""

    changes: PollChanges
    diff: Diff
    activity: SportActivity


@dataclass(slots=True)
class _LeasedConnection:
    """What lives and dies with one connection."""

    connection: psycopg.Connection
    sport_id: int
    lease: Lease
    ids: IdRegistry
    differ: PayloadDiffer
    last_poll: PollTimes | None
    problems: SportProblems
    scope: RequestScope | None = None
    began_at: float = field(default_factory=time.monotonic)

    def scope_for(self, request: OddsRequest) -> RequestScope:
        """What answers to such a request cover; it remembers what they have shown."""
        if self.scope is None or self.scope.request != request:
            self.scope = RequestScope(self.ids, request)
        return self.scope


class SportSession:
    """One sport's turn as the database sees it. Blocking: to be called in a thread, one call at a time.

    A dropped connection is replaced within the call that notices, and the call is done again: the state is
    reloaded from what was committed, so a commit whose confirmation was lost is neither missed nor repeated.
    """

    def __init__(self, sport: str, request: BurstRequest, context: BurstContext) -> None:
        self._sport = sport
        self._request = request
        self._context = context
        self._connection: psycopg.Connection | None = None
        self._leased: _LeasedConnection | None = None
        self._was_resumed = False
        self._lost = LostPolls(context.lost_polls, sport)
        self._unrecorded_failures: list[LostPoll] = []
        self._is_waiting = False

    @property
    def last_poll(self) -> PollTimes | None:
        """The last committed poll of the sport."""
        return self._leased.last_poll if self._leased else None

    @property
    def has_problems(self) -> bool:
        """Whether there is something that a poll that succeeds may clear away."""
        return bool(self._unrecorded_failures) or (self._leased is not None and self._leased.problems.has_any)

    @property
    def failures(self) -> int:
        """How many polls of the sport have failed in a row, those of earlier bursts among them."""
        return self._leased.problems.failures if self._leased else 0

    def seconds_until_retry(self, now: datetime) -> float:
        """Seconds for which the sport is to be left alone, because its polls fail."""
        return self._leased.problems.seconds_until_retry(now) if self._leased else 0.0

    def try_acquire(self) -> bool:
        """Take the sport if it is free; if not, claim it, so that its holder lets go. Call until true."""
        try:
            self._with_reconnect(lambda _turn: None)
        except LeaseLostError:
            return False
        self._report_earlier_bursts()
        return True

    def _report_earlier_bursts(self) -> None:
        """Have room for what this burst may lose, and tell what those before it have lost and could not tell."""
        self._lost.reserve_space()
        self._unrecorded_failures = self._lost.read()
        if not self._unrecorded_failures:
            return
        is_told = self._try_with_reconnect(lambda turn: turn.problems.report_late(self._unrecorded_failures))
        if is_told:
            self._clear_unrecorded()

    def _clear_unrecorded(self) -> None:
        self._unrecorded_failures = []
        self._lost.save([])

    def store(self, payload: Payload) -> CommittedPoll | None:
        """Write what a payload changed in one transaction; None if its moment is stored already.

        Raises `LeaseLostError`, `MalformedBodyError`, or `psycopg.Error` if the database stays away or refuses what
        the payload holds.
        """
        stored = self._with_reconnect(lambda turn: self._store_payload(turn, payload))
        if self._is_waiting:
            self._is_waiting = False
            self._lost.save(self._unrecorded_failures)
        return stored

    def wait_for_database(self, at: datetime, spending: Spending, quota: Quota) -> None:
        """Have it told that an answer was lost, should this process end before it is stored."""
        if not self._is_waiting:
            self._is_waiting = True
            error = "its answer waited for the database when the burst ended"
            self._lost.save([*self._unrecorded_failures, LostPoll(at, error, spending.credits, quota.remaining)])

    def record_failure(self, failure: FailedPoll) -> None:
        """Keep that a poll failed, for this burst and the next ones; where the database refuses, until it does not.

        An answer that was lost is noted in a file first: what kept the database from taking it may end this process.
        """
        is_in_file = self._is_waiting or failure.kind is ProblemKind.POLL_NOT_STORED
        if is_in_file:
            self._lost.save([*self._unrecorded_failures, failure.lost])
        is_noted = self._try_with_reconnect(lambda turn: turn.problems.record_failure(failure))
        if not is_noted:
            self._unrecorded_failures.append(failure.lost)
        if is_in_file or not is_noted:
            self._lost.save(self._unrecorded_failures)
        self._is_waiting = False

    def record_success(self, rejected: str = "") -> None:
        """Keep that a poll succeeded, what had to be left out of it, and the failures that could not be noted."""
        is_noted = self._try_with_reconnect(
            lambda turn: turn.problems.record_success(rejected, self._unrecorded_failures)
        )
        if is_noted and self._unrecorded_failures:
            self._clear_unrecorded()

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Keep that the sport is not asked for, though no poll has failed."""
        self._try_with_reconnect(lambda turn: turn.problems.postpone(kind, reason, wait_seconds))

    def store_unreadable(self, body: bytes, reason: str) -> None:
        """Archive an answer that is no list of events, as received."""
        now, feed, run_id = time.time_ns() // 1_000, self._context.feed, self._request.run_id
        self._try_with_reconnect(
            lambda turn: write_unreadable_answer(turn.connection, turn.sport_id, feed, run_id, body, now, reason)
        )

    def heartbeat(self) -> str | None:
        """Show that the burst is alive; returns the run that claims the sport, if one does."""
        return self._try_with_reconnect(lambda turn: turn.lease.heartbeat())

    def unpublished_polls(self) -> list[PollChanges]:
        """The oldest of what the outbox owes to the stream, in order."""
        return self._with_reconnect(lambda turn: outbox.load_unpublished_polls(turn.connection, turn.sport_id))

    def mark_published(self, poll_ids: Sequence[int]) -> None:
        """Take polls out of the outbox."""
        self._with_reconnect(lambda turn: outbox.mark_published(turn.connection, turn.sport_id, poll_ids))

    def close(self) -> None:
        """Give the lease and the connections back; a broken connection has lost them anyway."""
        with suppress(psycopg.Error):
            if self._leased:
                self._leased.lease.release()
        self._disconnect()

    def _try_with_reconnect(self, work: Callable[[_LeasedConnection], T]) -> T | None:
        """Do what no poll depends on; a database that refuses it (its disk is full) has not lost the lease."""
        try:
            return self._with_reconnect(work)
        except psycopg.Error as error:
            if is_connection_lost(error):
                raise
            log.warning("%s: the database takes no note: %s", self._sport, error)
            return None

    def _with_reconnect(self, work: Callable[[_LeasedConnection], T]) -> T:
        """Do the work; if the connection drops, do it again on a new one that has the lease."""
        deadline = time.monotonic() + RECONNECT_TIMEOUT_SECONDS
        while True:
            try:
                self._leased = self._leased or self._acquire()
                return work(self._leased)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if not is_connection_lost(error):
                    raise
                log.warning("%s: the database connection is gone: %s", self._sport, error)
                self._disconnect()
                if time.monotonic() > deadline:
                    raise
                time.sleep(RECONNECT_INTERVAL_SECONDS)

    def pop_resumed(self) -> bool:
        """Whether the state was reloaded since this was last asked: the outbox may hold a poll of ours."""
        resumed, self._was_resumed = self._was_resumed, False
        return resumed

    def _acquire(self) -> _LeasedConnection:
        """Take the lease, then read what its last holder has committed."""
        connection = self._connection = self._connection or connect(self._context.database_url, self._application_name)
        sport_id = IdRegistry(connection).sport(self._sport, self._context.sport_titles.get(self._sport))
        lease_seconds = max(0.0, self._request.ends_at - time.monotonic() - HANDOVER_LEAD_SECONDS)
        lease = Lease.try_acquire(connection, sport_id, self._request.run_id, lease_seconds)
        if lease is None:
            raise LeaseLostError
        ids = IdRegistry(connection)
        differ = PayloadDiffer(ids, self._sport, sport_id)
        poll, last_poll = as_of.find_last_poll(connection, sport_id), None
        if poll is not None:
            latest_quotes = as_of.load_last_quotes(connection, sport_id, poll.id)
            keyframes.save_keyframe_if_due(connection, poll, *latest_quotes)
            differ.load(latest_quotes[0])
            last_poll = PollTimes(poll.observed_at, find_received_at(connection, poll.id) or poll.observed_at)
        self._was_resumed = True
        problems = SportProblems.load(connection, self._context.feed, self._sport, sport_id)
        return _LeasedConnection(connection, sport_id, lease, ids, differ, last_poll, problems)

    def _store_payload(self, leased: _LeasedConnection, payload: Payload) -> CommittedPoll | None:
        if (
            leased.began_at > payload.arrived_monotonic
            and leased.last_poll
            and leased.last_poll.observed_at >= payload.observed_at
        ):
            return None  # the connection was gone meanwhile, and this or a later answer is stored
        previous = leased.last_poll.observed_at if leased.last_poll else None
        if leased.last_poll is not None and payload.observed_at <= leased.last_poll.observed_at:
            if not self._context.is_live or to_micros(leased.last_poll.received_at) == payload.received_at:
                return None
            payload = self._move_after_last(leased, leased.last_poll, payload)
        elif self._context.is_live:
            leased.problems.resolve(ProblemKind.CLOCK_CHANGED)
        scope = leased.scope_for(payload.request)
        leased.ids.limit_new_names(books=NEW_BOOK_LIMITS, markets=NEW_MARKET_LIMITS, outcomes=NEW_OUTCOME_LIMITS)
        try:
            diff = leased.differ.diff(payload.body, payload.observed_at, scope)
        except OddsApiError as error:
            error.body = payload.body
            raise
        record = build_poll_record(payload, diff, leased.sport_id, self._context.feed, self._request.run_id)
        poll_id = write_poll(leased.connection, record, diff.quotes, diff.times, diff.starts)
        leased.differ.commit()
        leased.last_poll = PollTimes(payload.observed_at, to_datetime(payload.received_at))
        if poll_id is None:
            return None
        changes = PollChanges(
            poll_id,
            self._sport,
            record.observed_at,
            record.received_at,
            record.run_id,
            diff.quotes,
            diff.times,
            diff.starts,
        )
        return CommittedPoll(changes, diff, activity_after_poll(diff, previous, payload.observed_at))

    def _move_after_last(self, leased: _LeasedConnection, last: PollTimes, payload: Payload) -> Payload:
        """The payload at the moment after the last poll: the clock was set back, and polls keep their order.

        Everybody who reads them goes by their moments, and would not see one that lies before another.
        """
        seconds_ahead = (last.observed_at - payload.observed_at).total_seconds()
        leased.problems.report(
            ProblemKind.CLOCK_CHANGED,
            f"the clock was set back: the last poll is {seconds_ahead:.0f} s ahead of it; "
            "new polls are ordered after it",
        )
        return replace(payload, observed_at=last.observed_at + timedelta(microseconds=1))

    def _disconnect(self) -> None:
        """Forget the connection and all that depends on it."""
        if self._connection:
            self._connection.close()
        self._connection = self._leased = None

    @property
    def _application_name(self) -> str:
        return f"edge-burst {self._request.run_id[:8]} {self._sport}"
