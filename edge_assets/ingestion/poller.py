"""One sport's turn in a burst: take the lease, poll at the sport's cadence, hand over between two polls."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from edge_assets.feeds.odds_api.errors import (
    OddsApiError,
    RateLimitedError,
    RefusedRequestError,
    ServerFailedError,
)
from edge_assets.ingestion.publisher import Publisher
from edge_assets.ingestion.report import SportReport
from edge_assets.ingestion.session import LeaseLostError, SportSession
from edge_assets.store.database import is_connection_lost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge_assets.feeds.odds_api.client import Payload
    from edge_assets.ingestion.desk import BurstOrder, Desk
    from edge_assets.ingestion.session import Stored

HEARTBEAT = 1.0
"""Real seconds between two looks at the lease: how long a successor waits at most."""
LEASE_RETRY = 0.05
SLOWEST_RETRY = 60.0

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
        self._failures = 0

    async def run(self) -> SportReport:
        """Work until the turn is over; errors end up in the report, never in the caller."""
        try:
            await self._take_lease()
            await self._publisher.catch_up()
            await self._watch()
        except LeaseLostError as lost:
            self.report.ended = str(lost)
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
            if time.monotonic() > self._order.ends:
                raise LeaseLostError
            await asyncio.sleep(LEASE_RETRY)

    async def _watch(self) -> None:
        pause = self._until_due()
        while not self.report.ended:
            if pause.seconds:
                self.report.ended = self._not_worth_waiting(pause.seconds) or await self._wait(pause)
            if not self.report.ended:
                pause = await self._poll()

    def _until_due(self) -> Pause:
        """The pause before the first poll: whoever asked for the burst did not know what the feed has said since."""
        desk = self._desk
        wait = desk.meter.seconds_until_due(self._sport, desk.clock.now(), self._session.last_observed)
        return Pause(wait, desk.clock.sleep)

    async def _poll(self) -> Pause:
        """Ask, store and publish once; returns the pause until the next look."""
        desk = self._desk
        try:
            payload = await desk.client.odds_payload(
                self._sport, regions=desk.regions, markets=desk.markets, consumed=self._session.last_observed
            )
            stored = await asyncio.to_thread(self._session.store, payload)
        except (RateLimitedError, ServerFailedError) as error:
            return self._disturbed(error)
        except RefusedRequestError as error:
            return self._refused(error)
        except OddsApiError as error:
            if error.body is not None:
                await asyncio.to_thread(self._session.keep_unreadable, error.body, str(error))
            return self._disturbed(error)
        except psycopg.Error as error:
            if is_connection_lost(error):
                raise
            return self._disturbed(error)
        self._failures = 0
        await self._published(payload, stored)
        return Pause(desk.meter.interval(self._sport, desk.clock.now(), desk.speed), desk.clock.sleep)

    async def _published(self, payload: Payload, stored: Stored | None) -> None:
        if self._session.resumed():
            self._publisher.suspect()
        if stored is None:
            self.report.repeats += 1
            await self._publisher.catch_up()
            return
        self.report.count(payload, stored)
        self._desk.meter.note(self._sport, stored.activity, payload.quota.remaining, payload.observed_at)
        await self._publisher.publish(stored.changes)

    def _refused(self, error: RefusedRequestError) -> Pause:
        """Keep the lease without asking again, so that the next attempt is the next burst's."""
        log.error("%s: the feed refuses: %s", self._sport, error)
        self.report.errors[type(error).__name__] += 1
        self.report.failure = f"{type(error).__name__}: {error}"
        return Pause(max(0.0, self._order.ends - time.monotonic()) + HEARTBEAT, asyncio.sleep)

    def _disturbed(self, error: OddsApiError | psycopg.Error) -> Pause:
        """The client has retried already, or the answer cannot be stored; wait longer each time."""
        self._failures += 1
        self.report.errors[type(error).__name__] += 1
        log.warning("%s: no answer of use (%s), attempt %d", self._sport, error, self._failures)
        return Pause(min(2.0**self._failures, SLOWEST_RETRY), asyncio.sleep)

    def _not_worth_waiting(self, interval: float) -> str:
        """Why the lease is given back early: a run that waits for hours is a run for nothing."""
        if self.report.failure or not self._desk.meter.terms.metered:
            return ""
        if math.isinf(interval):
            return "no credits left this month"
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
