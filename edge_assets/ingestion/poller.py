"""One sport's turn in a burst: take the lease, poll at the sport's cadence, hand over between two polls."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import psycopg

from edge_assets.clock import WallClock
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.quota import NOTHING_STATED, Spending
from edge_assets.ingestion.cadence import seconds_without_credits
from edge_assets.ingestion.desk import CalledOffError
from edge_assets.ingestion.failures import is_refusal, odd_parts, problem_of, retry_wait
from edge_assets.ingestion.publisher import Publisher
from edge_assets.ingestion.report import SportReport
from edge_assets.ingestion.session import LeaseLostError, SportSession
from edge_assets.ingestion.troubles import FailedPoll
from edge_assets.store.database import is_connection_lost
from edge_assets.store.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge_assets.feeds.odds_api.client import Payload
    from edge_assets.feeds.odds_api.quota import Quota
    from edge_assets.ingestion.desk import BurstOrder, Desk
    from edge_assets.ingestion.session import Stored

T = TypeVar("T")

HEARTBEAT = 1.0
"""Real seconds between two looks at the lease: how long a successor waits at most."""
LEASE_RETRY = 0.05
KEEP_PAID_SECONDS = 600.0
"""For how long what was paid for waits for a database that is away; a run lives an hour at most."""

log = logging.getLogger(__name__)


class Pause(NamedTuple):
    """How long to wait, and on which clock: cadences follow the feed's time, patience the real one."""

    seconds: float
    sleep: Callable[[float], Awaitable[None]]


class SportPoller:
    """Polls one sport until the burst is over. Whatever goes wrong stays within the sport."""

    def __init__(self, sport: str, order: BurstOrder, desk: Desk) -> None:
        self.report = SportReport(sport)
        self._sport = sport
        self._order = order
        self._desk = desk
        self._session = SportSession(sport, order, desk)
        self._publisher = Publisher(self._session, desk.redis, self.report)
        self._next_beat = 0.0

    async def run(self) -> SportReport:
        """Work until the turn is over; errors end up in the report, never in the caller."""
        try:
            await self._take_lease()
            await self._publisher.catch_up()
            await self._watch()
        except (LeaseLostError, CalledOffError) as over:
            self.report.ended = str(over)
        except Exception as error:
            log.exception("%s: the turn ends", self._sport)
            self.report.failure = self.report.ended = f"{type(error).__name__}: {error}"
        finally:
            await self._leave()
        log.info("%s: %s after %d polls", self._sport, self.report.ended, self.report.polls)
        return self.report

    async def _take_lease(self) -> None:
        """Claim the sport and wait until whoever holds it releases it between two of its polls."""
        while not await asyncio.to_thread(self._session.try_begin):
            self._desk.check_wanted()
            if time.monotonic() > self._order.ends:
                raise LeaseLostError
            await asyncio.sleep(LEASE_RETRY)

    async def _watch(self) -> None:
        pause = self._until_due()
        while not self.report.ended:
            if pause.seconds:
                self.report.ended = await self._not_worth_waiting(pause.seconds) or await self._wait(pause)
            if not self.report.ended:
                pause = await self._poll()

    def _until_due(self) -> Pause:
        """The pause before the first poll: whoever asked for the burst did not know what the feed has said since."""
        desk, last, now = self._desk, self._session.last, self._desk.clock.now()
        wait = desk.meter.seconds_until_due(self._sport, now, last.received_at if last else None)
        retry_in = self._session.retry_in(WallClock().now())
        return Pause(retry_in, asyncio.sleep) if retry_in > wait else Pause(wait, desk.clock.sleep)

    async def _poll(self) -> Pause:
        """Ask, store and publish once; returns the pause until the next look."""
        desk, last = self._desk, self._session.last
        desk.check_wanted()
        try:
            payload = await desk.client.odds_payload(
                self._sport,
                regions=desk.regions,
                markets=desk.markets_of(self._sport),
                consumed=last.observed_at if last else None,
            )
        except OddsApiError as error:
            return await self._failed(error, error.spending, error.quota)
        except Exception as error:  # whatever it is, it may have been paid for
            return await self._failed(error, Spending(answers=1), NOTHING_STATED)
        try:
            waits = partial(self._session.wait_for_database, desk.clock.now(), payload.spending, payload.quota)
            stored = await self._kept(partial(self._session.store, payload), waits)
        except LeaseLostError:
            raise
        except Exception as error:
            if isinstance(error, psycopg.Error) and is_connection_lost(error):
                raise
            return await self._failed(error, payload.spending, payload.quota)
        await self._published(payload, stored)
        interval = desk.meter.interval(self._sport, desk.clock.now(), desk.speed)
        repeats = payload.wasted.answers if desk.meter.terms.metered else 0  # what they cost is not spent twice
        return Pause(interval * (1 + repeats), desk.clock.sleep)

    async def _published(self, payload: Payload, stored: Stored | None) -> None:
        self.report.failure = None
        self._desk.polled.set()
        if self._session.resumed():
            self._publisher.suspect()
        if stored is None:
            self.report.repeats += 1
            await self._publisher.catch_up()
            await self._succeeded("")
            return
        self.report.count(payload, stored)
        self._desk.meter.note(self._sport, stored.activity, payload.quota.remaining, payload.observed_at)
        await self._publisher.publish(stored.changes, payload.arrived)
        await self._succeeded(odd_parts(stored.diff.rejected))

    async def _succeeded(self, rejected: str) -> None:
        if rejected or self._session.is_troubled:
            await asyncio.to_thread(self._session.succeed, rejected)

    async def _failed(self, error: Exception, spending: Spending, quota: Quota) -> Pause:
        """Keep the failure in the database, so that no burst asks again too soon; other sports go on."""
        desk, meter = self._desk, self._desk.meter
        now, count = desk.clock.now(), self._session.failures + 1
        meter.note_credits(quota.remaining, now)
        interval = meter.retry_interval(self._sport, now, count, is_known=self._session.last is not None)
        wait = retry_wait(error, count, spending.answers, interval)
        said = f"{type(error).__name__}: {error}"
        unforeseen = not isinstance(error, OddsApiError | psycopg.Error)
        log.warning(
            "%s: poll failed (%d in a row): %s", self._sport, count, said, exc_info=error if unforeseen else None
        )
        self.report.errors[type(error).__name__] += 1
        self.report.credits_used += spending.credits
        if is_refusal(error) or unforeseen:
            self.report.failure = said
        if isinstance(error, OddsApiError) and error.body is not None:
            await self._kept(partial(self._session.keep_unreadable, error.body, str(error)))
        noted_wait = wait if math.isfinite(wait) else seconds_without_credits(now)
        failure = FailedPoll(now, problem_of(error), noted_wait, said, spending, quota)
        await self._kept(partial(self._session.fail, failure))
        return Pause(wait, asyncio.sleep)

    async def _kept(self, work: Callable[[], T], waits: Callable[[], object] = lambda: None) -> T:
        """Write what may have been paid for however long the database is away: nobody asks before it is written.

        `waits` notes meanwhile that it is not.
        """
        give_up = time.monotonic() + KEEP_PAID_SECONDS
        while True:
            try:
                return await asyncio.to_thread(work)
            except psycopg.Error as error:
                if not is_connection_lost(error) or time.monotonic() > give_up:
                    raise
            log.warning("%s: what was paid for is kept until the database is back", self._sport)
            await asyncio.to_thread(waits)
            self._desk.check_wanted()
            await asyncio.sleep(HEARTBEAT)

    async def _not_worth_waiting(self, interval: float) -> str:
        """Why the lease is given back early: a run that waits for hours is a run for nothing."""
        if not self._desk.meter.terms.metered:
            return ""
        if math.isinf(interval):
            said = "no credits left this month"
            wait = seconds_without_credits(self._desk.clock.now())
            await asyncio.to_thread(self._session.postpone, ProblemKind.OUT_OF_CREDITS, said, wait)
            return said
        return f"next look in {interval:.0f} s" if time.monotonic() + interval > self._order.ends else ""

    async def _wait(self, pause: Pause) -> str:
        """Wait, looking after the lease meanwhile; returns why the turn is over, or nothing."""
        waiting = asyncio.ensure_future(pause.sleep(pause.seconds))
        try:
            while True:
                await asyncio.wait({waiting}, timeout=HEARTBEAT)
                if over := await self._over():
                    return over
                if waiting.done():
                    return ""
        finally:
            waiting.cancel()

    async def _over(self) -> str:
        self._desk.check_wanted()
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + HEARTBEAT
            if successor := await asyncio.to_thread(self._session.heartbeat):
                return f"handed over to {successor}"
        if self.report.failure and now > self._order.ends:
            return self.report.failure
        return "no successor came" if now > self._order.ends + self._order.grace_seconds else ""

    async def _leave(self) -> None:
        """Give the sport up; what could not be published stays in the outbox for the next burst."""
        try:
            await self._publisher.catch_up()
            await self._publisher.flush()
        except Exception:
            log.exception("%s: the outbox is left to the next burst", self._sport)
        finally:
            await asyncio.to_thread(self._session.end)
