"""One sport's polling in a burst: take the lease, poll at the sport's interval, hand over between two polls."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import psycopg

from edge_assets.core.clock import WallClock
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.quota import UNKNOWN_QUOTA, Spending
from edge_assets.ingestion.backoff import classify_failure, format_unexpected_rejections, is_client_error, retry_delay
from edge_assets.ingestion.cadence import seconds_until_credit_check
from edge_assets.ingestion.context import BurstCancelledError
from edge_assets.ingestion.problem_log import FailedPoll
from edge_assets.ingestion.publisher import Publisher
from edge_assets.ingestion.report import SportReport
from edge_assets.ingestion.session import LeaseLostError, SportSession
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.postgres.database import is_connection_lost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge_assets.feeds.odds_api.client import Payload
    from edge_assets.feeds.odds_api.quota import Quota
    from edge_assets.ingestion.context import BurstContext, BurstRequest
    from edge_assets.ingestion.session import CommittedPoll

T = TypeVar("T")

HEARTBEAT_SECONDS = 1.0
"""Real seconds between two checks of the lease: the longest that a successor waits."""
LEASE_RETRY_SECONDS = 0.05
PAID_WRITE_TIMEOUT_SECONDS = 600.0
"""How long a paid response waits for an unreachable database; a run lives an hour at most."""

log = logging.getLogger(__name__)


class Pause(NamedTuple):
    """How long to wait, and on which clock: poll intervals use the feed's time, retries real time."""

    seconds: float
    sleep: Callable[[float], Awaitable[None]]


class SportPoller:
    """Polls one sport until the burst is over. Errors stay within the sport."""

    def __init__(self, sport: str, request: BurstRequest, context: BurstContext) -> None:
        self.report = SportReport(sport)
        self._sport = sport
        self._request = request
        self._context = context
        self._session = SportSession(sport, request, context)
        self._publisher = Publisher(self._session, context.redis, self.report)
        self._next_heartbeat = 0.0

    async def run(self) -> SportReport:
        """Poll until the burst is over; errors are put into the report, never raised."""
        try:
            await self._acquire_lease()
            await self._publisher.catch_up()
            await self._poll_until_done()
        except (LeaseLostError, BurstCancelledError) as over:
            self.report.end_reason = str(over)
        except Exception as error:
            log.exception("%s: polling stopped", self._sport)
            self.report.failure = self.report.end_reason = f"{type(error).__name__}: {error}"
        finally:
            await self._release_sport()
        log.info("%s: %s after %d polls", self._sport, self.report.end_reason, self.report.polls)
        return self.report

    async def _acquire_lease(self) -> None:
        """Claim the sport and wait until its holder releases it between two polls."""
        while not await asyncio.to_thread(self._session.try_acquire):
            self._context.raise_if_cancelled()
            if time.monotonic() > self._request.ends_at:
                raise LeaseLostError
            await asyncio.sleep(LEASE_RETRY_SECONDS)

    async def _poll_until_done(self) -> None:
        pause = self._first_pause()
        while not self.report.end_reason:
            if pause.seconds:
                self.report.end_reason = await self._early_end_reason(pause.seconds) or await self._wait_with_lease(
                    pause
                )
            if not self.report.end_reason:
                pause = await self._poll()

    def _first_pause(self) -> Pause:
        """The pause before the first poll: the feed may have been polled since the burst was requested."""
        context, last, now = self._context, self._session.last_poll, self._context.clock.now()
        wait = context.scheduler.seconds_until_due(self._sport, now, last.received_at if last else None)
        retry_in = self._session.seconds_until_retry(WallClock().now())
        return Pause(retry_in, asyncio.sleep) if retry_in > wait else Pause(wait, context.clock.sleep)

    async def _poll(self) -> Pause:
        """Request, store and publish once; returns the pause until the next poll."""
        context, last = self._context, self._session.last_poll
        context.raise_if_cancelled()
        try:
            payload = await context.client.odds_payload(
                self._sport,
                regions=context.regions,
                markets=context.markets_for(self._sport),
                consumed=last.observed_at if last else None,
            )
        except OddsApiError as error:
            return await self._record_failure(error, error.spending, error.quota)
        except Exception as error:  # of any kind: it may have been charged
            return await self._record_failure(error, Spending(responses=1), UNKNOWN_QUOTA)
        try:
            note_waiting = partial(self._session.note_waiting, context.clock.now(), payload.spending, payload.quota)
            stored = await self._write_with_retry(partial(self._session.store, payload), note_waiting)
        except LeaseLostError:
            raise
        except Exception as error:
            if isinstance(error, psycopg.Error) and is_connection_lost(error):
                raise
            return await self._record_failure(error, payload.spending, payload.quota)
        await self._publish(payload, stored)
        interval = context.scheduler.interval(self._sport, context.clock.now(), context.speed)
        # repeated responses were charged too: wait longer, so that their cost is not spent twice
        repeats = payload.wasted.responses if context.scheduler.terms.is_metered else 0
        return Pause(interval * (1 + repeats), context.clock.sleep)

    async def _publish(self, payload: Payload, stored: CommittedPoll | None) -> None:
        self.report.failure = None
        self._context.polled.set()
        if self._session.pop_resumed():
            self._publisher.mark_outbox_dirty()
        if stored is None:
            self.report.repeats += 1
            await self._publisher.catch_up()
            await self._record_success("")
            return
        self.report.add_poll(payload, stored)
        self._context.scheduler.record_poll(self._sport, stored.activity, payload.quota.remaining, payload.observed_at)
        await self._publisher.publish(stored.changes, payload.arrived_monotonic)
        await self._record_success(format_unexpected_rejections(stored.diff.rejected))

    async def _record_success(self, rejected: str) -> None:
        if rejected or self._session.has_problems:
            await asyncio.to_thread(self._session.record_success, rejected)

    async def _record_failure(self, error: Exception, spending: Spending, quota: Quota) -> Pause:
        """Store the failure, so that no burst polls again too soon; other sports go on."""
        context, scheduler = self._context, self._context.scheduler
        now, count = context.clock.now(), self._session.failures + 1
        scheduler.record_credits(quota.remaining, now)
        interval = scheduler.retry_interval(self._sport, now, count, is_known=self._session.last_poll is not None)
        wait = retry_delay(error, count, spending.responses, interval)
        message = f"{type(error).__name__}: {error}"
        is_unexpected = not isinstance(error, OddsApiError | psycopg.Error)
        log.warning(
            "%s: poll failed (%d in a row): %s", self._sport, count, message, exc_info=error if is_unexpected else None
        )
        self.report.errors[type(error).__name__] += 1
        self.report.credits_used += spending.credits
        if is_client_error(error) or is_unexpected:
            self.report.failure = message
        if isinstance(error, OddsApiError) and error.body is not None:
            await self._write_with_retry(partial(self._session.store_unreadable, error.body, str(error)))
        recorded_wait = wait if math.isfinite(wait) else seconds_until_credit_check(now)
        failure = FailedPoll(now, classify_failure(error), recorded_wait, message, spending, quota)
        await self._write_with_retry(partial(self._session.record_failure, failure))
        return Pause(wait, asyncio.sleep)

    async def _write_with_retry(self, work: Callable[[], T], note_waiting: Callable[[], object] = lambda: None) -> T:
        """Write what may have been paid for, retrying while the database is unreachable; no poll is made meanwhile.

        `note_waiting` records each time that it is not written yet.
        """
        give_up = time.monotonic() + PAID_WRITE_TIMEOUT_SECONDS
        while True:
            try:
                return await asyncio.to_thread(work)
            except psycopg.Error as error:
                if not is_connection_lost(error) or time.monotonic() > give_up:
                    raise
            log.warning("%s: holding a paid response until the database is back", self._sport)
            await asyncio.to_thread(note_waiting)
            self._context.raise_if_cancelled()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _early_end_reason(self, interval: float) -> str:
        """Why to release the lease early: a run must not wait for hours."""
        if not self._context.scheduler.terms.is_metered:
            return ""
        if math.isinf(interval):
            reason = "no credits left this month"
            wait = seconds_until_credit_check(self._context.clock.now())
            await asyncio.to_thread(self._session.postpone, ProblemKind.OUT_OF_CREDITS, reason, wait)
            return reason
        return f"next poll in {interval:.0f} s" if time.monotonic() + interval > self._request.ends_at else ""

    async def _wait_with_lease(self, pause: Pause) -> str:
        """Wait while renewing the lease; returns why polling should end, or an empty string."""
        waiting = asyncio.ensure_future(pause.sleep(pause.seconds))
        try:
            while True:
                await asyncio.wait({waiting}, timeout=HEARTBEAT_SECONDS)
                if reason := await self._end_reason():
                    return reason
                if waiting.done():
                    return ""
        finally:
            waiting.cancel()

    async def _end_reason(self) -> str:
        self._context.raise_if_cancelled()
        now = time.monotonic()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + HEARTBEAT_SECONDS
            if successor := await asyncio.to_thread(self._session.heartbeat):
                return f"handed over to {successor}"
        if self.report.failure and now > self._request.ends_at:
            return self.report.failure
        return "no successor came" if now > self._request.ends_at + self._request.grace_seconds else ""

    async def _release_sport(self) -> None:
        """Release the sport; what could not be published stays in the outbox for the next burst."""
        try:
            await self._publisher.catch_up()
            await self._publisher.flush()
        except Exception:
            log.exception("%s: could not flush the outbox; the next burst publishes it", self._sport)
        finally:
            await asyncio.to_thread(self._session.close)
