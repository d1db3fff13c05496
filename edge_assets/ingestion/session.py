"""The database side of one sport's polling: the lease, the last known quotes, the write and the outbox.

All of it shares one connection on purpose: the lease is an advisory lock of that connection, so a session that
lost its connection lost the lease too and cannot write concurrently with its successor.
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
from edge_assets.feeds.odds_api.errors import ClockAheadError, OddsApiError
from edge_assets.feeds.odds_api.limits import NEW_BOOK_LIMITS, NEW_MARKET_LIMITS, NEW_OUTCOME_LIMITS
from edge_assets.health.formatting import format_duration
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.ingestion.problem_log import SportProblems
from edge_assets.ingestion.records import PollTimes, activity_after_poll, build_poll_record
from edge_assets.ingestion.request_scope import RequestScope
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.polls import as_of, keyframes, outbox
from edge_assets.store.polls.activity import find_received_at
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.leases import Lease
from edge_assets.store.polls.unreadable_responses import write_unreadable_response
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

MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Between this machine and the feed's server, whose responses may come from a cache."""
MAX_STORED_CLOCK_LEAD = timedelta(days=1)
"""A poll dated in the future orders all later ones after it, and retention would count days from it."""

log = logging.getLogger(__name__)


class LeaseLostError(RuntimeError):
    """Another burst holds the sport."""

    def __init__(self) -> None:
        super().__init__("another burst holds the lease")


@dataclass(frozen=True, slots=True)
class CommittedPoll:
    """A committed poll: its changes, its diff, and the sport's activity after it."""

    changes: PollChanges
    diff: Diff
    activity: SportActivity


@dataclass(slots=True)
class _LeasedConnection:
    """The state bound to one connection."""

    connection: psycopg.Connection
    sport_id: int
    lease: Lease
    ids: IdRegistry
    differ: PayloadDiffer
    last_poll: PollTimes | None
    problems: SportProblems
    scope: RequestScope | None = None
    started_at: float = field(default_factory=time.monotonic)

    def scope_for(self, request: OddsRequest) -> RequestScope:
        """The coverage of responses to such a request; it remembers the books they have shown."""
        if self.scope is None or self.scope.request != request:
            self.scope = RequestScope(self.ids, request)
        return self.scope


class SportSession:
    """One sport's polling as the database sees it. Blocking: to be called in a thread, one call at a time.

    A dropped connection is replaced within the call that notices, and the work is repeated: the state is reloaded
    from what was committed, so a commit whose confirmation was lost is neither missed nor repeated.
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
        """Whether there is a problem that a successful poll may clear."""
        return bool(self._unrecorded_failures) or (self._leased is not None and self._leased.problems.has_any)

    @property
    def failures(self) -> int:
        """How many polls of the sport have failed in a row, including those of earlier bursts."""
        return self._leased.problems.failures if self._leased else 0

    def seconds_until_retry(self, now: datetime) -> float:
        """Seconds to wait before polling the sport, because its polls fail."""
        return self._leased.problems.seconds_until_retry(now) if self._leased else 0.0

    def try_acquire(self) -> bool:
        """Take the lease if it is free; if not, claim it, so that its holder releases it. Call until true."""
        try:
            self._with_reconnect(lambda _leased: None)
        except LeaseLostError:
            return False
        self._report_earlier_bursts()
        return True

    def _report_earlier_bursts(self) -> None:
        """Reserve space for this burst's lost polls, and report those that earlier bursts could not record."""
        self._lost.reserve_space()
        self._unrecorded_failures = self._lost.read()
        if not self._unrecorded_failures:
            return
        is_reported = self._try_with_reconnect(lambda leased: leased.problems.report_late(self._unrecorded_failures))
        if is_reported:
            self._clear_unrecorded()

    def _clear_unrecorded(self) -> None:
        self._unrecorded_failures = []
        self._lost.save([])

    def store(self, payload: Payload) -> CommittedPoll | None:
        """Write the changes of a payload in one transaction; None if its time is stored already.

        Raises `LeaseLostError`, `MalformedBodyError`, or `psycopg.Error` if the database stays unreachable or refuses
        the payload's content.
        """
        stored = self._with_reconnect(lambda leased: self._store_payload(leased, payload))
        if self._is_waiting:
            self._is_waiting = False
            self._lost.save(self._unrecorded_failures)
        return stored

    def note_waiting(self, at: datetime, spending: Spending, quota: Quota) -> None:
        """Record in a file that a response is lost if this process ends before it is stored."""
        if not self._is_waiting:
            self._is_waiting = True
            error = "its response was waiting for the database when the burst ended"
            self._lost.save([*self._unrecorded_failures, LostPoll(at, error, spending.credits, quota.remaining)])

    def record_failure(self, failure: FailedPoll) -> None:
        """Store that a poll failed, for this and later bursts; if the database refuses, keep it until it accepts.

        A lost response is noted in a file first: whatever kept the database from storing it may end this process too.
        """
        is_in_file = self._is_waiting or failure.kind is ProblemKind.POLL_NOT_STORED
        if is_in_file:
            self._lost.save([*self._unrecorded_failures, failure.lost_poll])
        is_recorded = self._try_with_reconnect(lambda leased: leased.problems.record_failure(failure))
        if not is_recorded:
            self._unrecorded_failures.append(failure.lost_poll)
        if is_in_file or not is_recorded:
            self._lost.save(self._unrecorded_failures)
        self._is_waiting = False

    def record_success(self, rejected: str = "") -> None:
        """Store that a poll succeeded, what was rejected, and earlier failures that could not be recorded."""
        is_recorded = self._try_with_reconnect(
            lambda leased: leased.problems.record_success(rejected, self._unrecorded_failures)
        )
        if is_recorded and self._unrecorded_failures:
            self._clear_unrecorded()

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Store that the sport is not polled for a while, although no poll has failed."""
        self._try_with_reconnect(lambda leased: leased.problems.postpone(kind, reason, wait_seconds))

    def store_unreadable(self, body: bytes, reason: str) -> None:
        """Archive, as received, a response that is not a list of events."""
        now, feed, run_id = time.time_ns() // 1_000, self._context.feed, self._request.run_id
        self._try_with_reconnect(
            lambda leased: write_unreadable_response(
                leased.connection, leased.sport_id, feed, run_id, body, now, reason
            )
        )

    def heartbeat(self) -> str | None:
        """Show that the burst is alive; returns the run that claims the sport, if any."""
        return self._try_with_reconnect(lambda leased: leased.lease.heartbeat())

    def unpublished_polls(self) -> list[PollChanges]:
        """The oldest unpublished polls of the outbox, in order."""
        return self._with_reconnect(lambda leased: outbox.load_unpublished_polls(leased.connection, leased.sport_id))

    def mark_published(self, poll_ids: Sequence[int]) -> None:
        """Remove polls from the outbox."""
        self._with_reconnect(lambda leased: outbox.mark_published(leased.connection, leased.sport_id, poll_ids))

    def close(self) -> None:
        """Release the lease and close the connection; a broken connection has lost both already."""
        with suppress(psycopg.Error):
            if self._leased:
                self._leased.lease.release()
        self._disconnect()

    def _try_with_reconnect(self, work: Callable[[_LeasedConnection], T]) -> T | None:
        """Do work that no poll depends on; a database that refuses it (disk full, say) has not lost the lease."""
        try:
            return self._with_reconnect(work)
        except psycopg.Error as error:
            if is_connection_lost(error):
                raise
            log.warning("%s: could not record the state: %s", self._sport, error)
            return None

    def _with_reconnect(self, work: Callable[[_LeasedConnection], T]) -> T:
        """Do the work; if the connection drops, repeat it on a new one that holds the lease."""
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
        """Whether the state was reloaded since the last call: the outbox may hold a poll of this session."""
        resumed, self._was_resumed = self._was_resumed, False
        return resumed

    def _acquire(self) -> _LeasedConnection:
        """Take the lease, then load what its last holder has committed."""
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
            leased.started_at > payload.arrived_monotonic
            and leased.last_poll
            and leased.last_poll.observed_at >= payload.observed_at
        ):
            return None  # the connection was lost meanwhile, and this or a later response is stored
        previous = leased.last_poll.observed_at if leased.last_poll else None
        if leased.last_poll is not None and payload.observed_at <= leased.last_poll.observed_at:
            if not self._context.is_live or to_micros(leased.last_poll.received_at) == payload.received_at:
                return None
            payload = self._move_after_last(leased, leased.last_poll, payload)
        elif self._context.is_live and not self._report_wrong_clock(leased, payload):
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

    def _report_wrong_clock(self, leased: _LeasedConnection, payload: Payload) -> bool:
        """Report a clock that differs from the feed's; returns whether it does.

        Raises `ClockAheadError` if storing the payload would do lasting harm.
        """
        lead = payload.observed_at - (payload.stated_at or payload.observed_at)
        if abs(lead) <= MAX_CLOCK_DIFFERENCE:
            return False
        direction = "ahead of" if lead > timedelta() else "behind"
        message = f"this machine's clock is {format_duration(abs(lead))} {direction} the feed's"
        if lead > MAX_STORED_CLOCK_LEAD:
            msg = f"{message}: prices are not stored until it is right"
            raise ClockAheadError(msg)
        leased.problems.report(ProblemKind.CLOCK_CHANGED, message)
        return True

    def _move_after_last(self, leased: _LeasedConnection, last: PollTimes, payload: Payload) -> Payload:
        """The payload just after the last poll: the clock was set back, and polls keep their order.

        Readers order polls by time and would miss one that is dated before another.
        """
        seconds_ahead = (last.observed_at - payload.observed_at).total_seconds()
        leased.problems.report(
            ProblemKind.CLOCK_CHANGED,
            f"the clock was set back: the last poll is {seconds_ahead:.0f} s in the future; "
            "new polls are ordered after it",
        )
        return replace(payload, observed_at=last.observed_at + timedelta(microseconds=1))

    def _disconnect(self) -> None:
        """Close the connection and drop the state bound to it."""
        if self._connection:
            self._connection.close()
        self._connection = self._leased = None

    @property
    def _application_name(self) -> str:
        return f"edge-burst {self._request.run_id[:8]} {self._sport}"
