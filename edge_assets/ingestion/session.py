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

from edge_assets.clock import micros, to_datetime
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.limits import NEW_BOOKS, NEW_MARKETS, NEW_OUTCOMES
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.ingestion.reach import RequestReach
from edge_assets.ingestion.records import LastPoll, activity_after, poll_record
from edge_assets.ingestion.troubles import Troubles
from edge_assets.lost_polls import LostPoll, LostPolls
from edge_assets.store import offers, outbox, readers
from edge_assets.store.database import connect, is_connection_lost
from edge_assets.store.leases import Lease
from edge_assets.store.polling import received_at
from edge_assets.store.problems import ProblemKind
from edge_assets.store.unreadable import keep_unreadable
from edge_assets.store.vocabulary import Vocabulary
from edge_assets.store.writer import write_poll
from ml.quotes import PollChanges

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge_assets.feeds.odds_api.client import Asked, Payload
    from edge_assets.feeds.odds_api.diff import Diff
    from edge_assets.feeds.odds_api.quota import Quota, Spending
    from edge_assets.ingestion.desk import BurstOrder, Desk
    from edge_assets.ingestion.troubles import FailedPoll

T = TypeVar("T")

RECONNECT_FOR = 30.0
RECONNECT_EVERY = 0.2
HANDOVER_LEAD = 20.0
"""Seconds before the end of a burst when its successor is requested; a run takes about 4 s to get here."""

log = logging.getLogger(__name__)


class LeaseLostError(RuntimeError):
    """Another burst holds the sport."""

    def __init__(self) -> None:
        super().__init__("another burst holds the lease")


@dataclass(frozen=True, slots=True)
class Stored:
    """A poll that is now in the database: what it changed, what its payload said, what it tells the meter."""

    changes: PollChanges
    diff: Diff
    activity: SportActivity


@dataclass(slots=True)
class _Turn:
    """What lives and dies with one connection."""

    connection: psycopg.Connection
    sport_id: int
    lease: Lease
    words: Vocabulary
    differ: PayloadDiffer
    last: LastPoll | None
    troubles: Troubles
    reach: RequestReach | None = None
    began: float = field(default_factory=time.monotonic)

    def reach_of(self, asked: Asked) -> RequestReach:
        """What answers to such a request cover; it remembers what they have shown."""
        if self.reach is None or self.reach.asked != asked:
            self.reach = RequestReach(self.words, asked)
        return self.reach


class SportSession:
    """One sport's turn as the database sees it. Blocking: to be called in a thread, one call at a time.

    A dropped connection is replaced within the call that notices, and the call is done again: the state is
    reloaded from what was committed, so a commit whose confirmation was lost is neither missed nor repeated.
    """

    def __init__(self, sport: str, order: BurstOrder, desk: Desk) -> None:
        self._sport = sport
        self._order = order
        self._desk = desk
        self._connection: psycopg.Connection | None = None
        self._turn: _Turn | None = None
        self._resumed = False
        self._lost = LostPolls(desk.lost_polls, sport)
        self._unnoted: list[LostPoll] = []
        self._is_waiting = False

    @property
    def last(self) -> LastPoll | None:
        """The last committed poll of the sport."""
        return self._turn.last if self._turn else None

    @property
    def is_troubled(self) -> bool:
        """Whether there is something that a poll that succeeds may clear away."""
        return bool(self._unnoted) or (self._turn is not None and self._turn.troubles.is_any)

    @property
    def failures(self) -> int:
        """How many polls of the sport have failed in a row, those of earlier bursts among them."""
        return self._turn.troubles.failures if self._turn else 0

    def retry_in(self, now: datetime) -> float:
        """Seconds for which the sport is to be left alone, because its polls fail."""
        return self._turn.troubles.retry_in(now) if self._turn else 0.0

    def try_begin(self) -> bool:
        """Take the sport if it is free; if not, claim it, so that its holder lets go. Call until true."""
        try:
            self._steadily(lambda _turn: None)
        except LeaseLostError:
            return False
        self._tell_of_earlier_bursts()
        return True

    def _tell_of_earlier_bursts(self) -> None:
        """Have room for what this burst may lose, and tell what those before it have lost and could not tell."""
        self._lost.make_room()
        self._unnoted = self._lost.read()
        if not self._unnoted:
            return
        is_told = self._if_possible(lambda turn: turn.troubles.tell_late(self._unnoted))
        if is_told:
            self._forget_unnoted()

    def _forget_unnoted(self) -> None:
        self._unnoted = []
        self._lost.keep([])

    def store(self, payload: Payload) -> Stored | None:
        """Write what a payload changed in one transaction; None if its moment is stored already.

        Raises `LeaseLostError`, `MalformedBodyError`, or `psycopg.Error` if the database stays away or refuses what
        the payload holds.
        """
        stored = self._steadily(lambda turn: self._store(turn, payload))
        if self._is_waiting:
            self._is_waiting = False
            self._lost.keep(self._unnoted)
        return stored

    def wait_for_database(self, at: datetime, spending: Spending, quota: Quota) -> None:
        """Have it told that an answer was lost, should this process end before it is stored."""
        if not self._is_waiting:
            self._is_waiting = True
            error = "its answer waited for the database when the burst ended"
            self._lost.keep([*self._unnoted, LostPoll(at, error, spending.credits, quota.remaining)])

    def fail(self, failure: FailedPoll) -> None:
        """Keep that a poll failed, for this burst and the next ones; where the database refuses, until it does not.

        An answer that was lost is noted in a file first: what kept the database from taking it may end this process.
        """
        is_in_file = self._is_waiting or failure.kind is ProblemKind.POLL_NOT_STORED
        if is_in_file:
            self._lost.keep([*self._unnoted, failure.lost])
        is_noted = self._if_possible(lambda turn: turn.troubles.record(failure))
        if not is_noted:
            self._unnoted.append(failure.lost)
        if is_in_file or not is_noted:
            self._lost.keep(self._unnoted)
        self._is_waiting = False

    def succeed(self, rejected: str = "") -> None:
        """Keep that a poll succeeded, what had to be left out of it, and the failures that could not be noted."""
        is_noted = self._if_possible(lambda turn: turn.troubles.clear(rejected, self._unnoted))
        if is_noted and self._unnoted:
            self._forget_unnoted()

    def postpone(self, kind: ProblemKind, reason: str, wait_seconds: float) -> None:
        """Keep that the sport is not asked for, though no poll has failed."""
        self._if_possible(lambda turn: turn.troubles.postpone(kind, reason, wait_seconds))

    def keep_unreadable(self, body: bytes, reason: str) -> None:
        """Archive an answer that is no list of events, as received."""
        now, feed, run_id = time.time_ns() // 1_000, self._desk.feed, self._order.run_id
        self._if_possible(lambda turn: keep_unreadable(turn.connection, turn.sport_id, feed, run_id, body, now, reason))

    def heartbeat(self) -> str | None:
        """Show that the burst is alive; returns the run that claims the sport, if one does."""
        return self._if_possible(lambda turn: turn.lease.heartbeat())

    def unpublished(self) -> list[PollChanges]:
        """The oldest of what the outbox owes to the stream, in order."""
        return self._steadily(lambda turn: outbox.unpublished_polls(turn.connection, turn.sport_id))

    def mark_published(self, poll_ids: Sequence[int]) -> None:
        """Take polls out of the outbox."""
        self._steadily(lambda turn: outbox.mark_published(turn.connection, turn.sport_id, poll_ids))

    def end(self) -> None:
        """Give the lease and the connections back; a broken connection has lost them anyway."""
        with suppress(psycopg.Error):
            if self._turn:
                self._turn.lease.release()
        self._drop()

    def _if_possible(self, work: Callable[[_Turn], T]) -> T | None:
        """Do what no poll depends on; a database that refuses it (its disk is full) has not lost the lease."""
        try:
            return self._steadily(work)
        except psycopg.Error as error:
            if is_connection_lost(error):
                raise
            log.warning("%s: the database takes no note: %s", self._sport, error)
            return None

    def _steadily(self, work: Callable[[_Turn], T]) -> T:
        """Do the work; if the connection drops, do it again on a new one that has the lease."""
        give_up = time.monotonic() + RECONNECT_FOR
        while True:
            try:
                self._turn = self._turn or self._begin()
                return work(self._turn)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if not is_connection_lost(error):
                    raise
                log.warning("%s: the database connection is gone: %s", self._sport, error)
                self._drop()
                if time.monotonic() > give_up:
                    raise
                time.sleep(RECONNECT_EVERY)

    def resumed(self) -> bool:
        """Whether the state was reloaded since this was last asked: the outbox may hold a poll of ours."""
        resumed, self._resumed = self._resumed, False
        return resumed

    def _begin(self) -> _Turn:
        """Take the lease, then read what its last holder has committed."""
        connection = self._connection = self._connection or connect(self._desk.database_url, self._name)
        sport_id = Vocabulary(connection).sport(self._sport, self._desk.titles.get(self._sport))
        lasts = max(0.0, self._order.ends - time.monotonic() - HANDOVER_LEAD)
        lease = Lease.try_acquire(connection, sport_id, self._order.run_id, lasts)
        if lease is None:
            raise LeaseLostError
        words = Vocabulary(connection)
        differ = PayloadDiffer(words, self._sport, sport_id)
        poll, last = readers.last_poll(connection, sport_id), None
        if poll is not None:
            standing = readers.last_quotes(connection, sport_id, poll.id)
            offers.keep(connection, poll, *standing)
            differ.load(standing[0])
            last = LastPoll(poll.observed_at, received_at(connection, poll.id) or poll.observed_at)
        self._resumed = True
        troubles = Troubles.load(connection, self._desk.feed, self._sport, sport_id)
        return _Turn(connection, sport_id, lease, words, differ, last, troubles)

    def _store(self, turn: _Turn, payload: Payload) -> Stored | None:
        if turn.began > payload.arrived and turn.last and turn.last.observed_at >= payload.observed_at:
            return None  # the connection was gone meanwhile, and this or a later answer is stored
        previous = turn.last.observed_at if turn.last else None
        if turn.last is not None and payload.observed_at <= turn.last.observed_at:
            if not self._desk.is_live or micros(turn.last.received_at) == payload.received_at:
                return None
            payload = self._put_behind(turn, turn.last, payload)
        elif self._desk.is_live:
            turn.troubles.settle(ProblemKind.CLOCK_CHANGED)
        reach = turn.reach_of(payload.asked)
        turn.words.ration(books=NEW_BOOKS, markets=NEW_MARKETS, outcomes=NEW_OUTCOMES)
        try:
            diff = turn.differ.diff(payload.body, payload.observed_at, reach)
        except OddsApiError as error:
            error.body = payload.body
            raise
        record = poll_record(payload, diff, turn.sport_id, self._desk.feed, self._order.run_id)
        poll_id = write_poll(turn.connection, record, diff.quotes, diff.times, diff.starts)
        turn.differ.commit()
        turn.last = LastPoll(payload.observed_at, to_datetime(payload.received_at))
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
        return Stored(changes, diff, activity_after(diff, previous, payload.observed_at))

    def _put_behind(self, turn: _Turn, last: LastPoll, payload: Payload) -> Payload:
        """The payload at the moment after the last poll: the clock was set back, and polls keep their order.

        Everybody who reads them goes by their moments, and would not see one that lies before another.
        """
        ahead = (last.observed_at - payload.observed_at).total_seconds()
        turn.troubles.tell(
            ProblemKind.CLOCK_CHANGED,
            f"the clock was set back: the last poll is {ahead:.0f} s ahead of it; polls go on, put behind that one",
        )
        return replace(payload, observed_at=last.observed_at + timedelta(microseconds=1))

    def _drop(self) -> None:
        """Forget the connection and all that depends on it."""
        if self._connection:
            self._connection.close()
        self._connection = self._turn = None

    @property
    def _name(self) -> str:
        return f"edge-burst {self._order.run_id[:8]} {self._sport}"
