"""What runs alongside the polls of a burst: is the run still wanted, did the clock jump, the heartbeat."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import Future
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

import psycopg

from edge_assets.store.health.problems import ProblemKind, record_heartbeat, report_problem
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_assets.ingestion.context import BurstContext, BurstRequest

T = TypeVar("T")

CHECK_INTERVAL_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 10.0
"""An orchestrator that does not answer cancels nothing."""
MIN_CLOCK_JUMP_SECONDS = 5.0
"""How far the wall clock and the monotonic clock may drift apart between two checks."""
HEARTBEAT_SERVICE = "burst"
MACHINE_SUBJECT = "machine"
"""The subject of a clock jump, which concerns all sports."""

log = logging.getLogger(__name__)


class BurstMonitor:
    """Monitors one burst until it is cancelled."""

    def __init__(self, request: BurstRequest, context: BurstContext) -> None:
        self._request = request
        self._context = context
        self._is_start_reported = self._is_poll_reported = False
        self._clock_offset = _clock_offset()
        self._controller_call, self._heartbeat_call = (
            SingleFlight(self._report_to_controller),
            SingleFlight(self._send_heartbeat),
        )

    async def run(self) -> None:
        """Check every few seconds."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)

    async def check(self) -> None:
        """Check once; no failure in here stops polling."""
        try:
            if not await self._controller_call.run():
                self._context.cancelled.set()
        except Exception as error:  # any error of the orchestrator
            log.warning("the orchestrator does not answer: %s: %s", type(error).__name__, error)
        try:
            await self._heartbeat_call.run()
        except (psycopg.Error, TimeoutError) as error:
            log.warning("could not write the heartbeat: %s: %s", type(error).__name__, error)

    def _report_to_controller(self) -> bool:
        """Report progress to the requester of the burst; returns whether the burst is still wanted."""
        controller = self._request.controller
        if not controller.is_wanted():
            return False
        if not self._is_start_reported:
            controller.mark_started()
            self._is_start_reported = True
        if self._context.polled.is_set() and not self._is_poll_reported:
            controller.mark_polled()
            self._is_poll_reported = True
        return True

    def _send_heartbeat(self) -> None:
        jump, self._clock_offset = _clock_offset() - self._clock_offset, _clock_offset()
        with closing(connect(self._context.database_url, "edge-burst watch")) as connection:
            sports = list(self._request.sports)
            seconds_left = max(0, round(self._request.ends_at - time.monotonic()))
            record_heartbeat(
                connection,
                HEARTBEAT_SERVICE,
                run_id=self._request.run_id,
                pid=os.getpid(),
                sports=sports,
                seconds_left=seconds_left,
            )
            if abs(jump) > MIN_CLOCK_JUMP_SECONDS:
                message = f"the clock jumped by {jump:+.0f} s: it was changed, or the machine was asleep"
                log.warning(message)
                report_problem(connection, ProblemKind.CLOCK_CHANGED, MACHINE_SUBJECT, message)


class SingleFlight(Generic[T]):
    """Blocking work in its own thread; it is not started again while an earlier call hangs.

    The default executor's threads are needed for storing polls, and exiting must not wait for a hung call.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._running: Future[T] | None = None

    async def run(self) -> T:
        """Run the work; raises `TimeoutError` if it takes too long, or an earlier call still hangs."""
        if self._running is not None and not self._running.done():
            raise TimeoutError("the previous call still hangs")
        future = self._running = Future()
        future.set_running_or_notify_cancel()  # from now on it cannot be cancelled
        threading.Thread(target=self._execute, args=(future,), daemon=True).start()
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            return await asyncio.wrap_future(future)

    def _execute(self, future: Future[T]) -> None:
        try:
            future.set_result(self._work())
        except Exception as error:  # raised to the awaiting caller
            future.set_exception(error)


def _clock_offset() -> float:
    """Seconds by which the wall clock is ahead of the monotonic clock, which nobody sets and which stops in sleep."""
    return time.time() - time.monotonic()
