"""What goes on beside the polls of a burst: is its run still wanted, does the clock stay, a sign of life."""

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
"""An orchestrator that does not answer gives nothing up."""
MIN_CLOCK_JUMP_SECONDS = 5.0
"""By which the wall clock and the one that nobody sets may drift apart between two looks."""
HEARTBEAT_SERVICE = "burst"
MACHINE_SUBJECT = "machine"
"""The subject of a clock that jumped, under all sports."""

log = logging.getLogger(__name__)


class BurstMonitor:
    """Watches over one burst until it is cancelled."""

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
        """Look every few seconds."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)

    async def check(self) -> None:
        """Look once; whatever goes wrong here is no reason to stop polling."""
        try:
            if not await self._controller_call.run():
                self._context.cancelled.set()
        except Exception as error:  # the orchestrator's, whatever it is
            log.warning("the orchestrator does not answer: %s: %s", type(error).__name__, error)
        try:
            await self._heartbeat_call.run()
        except (psycopg.Error, TimeoutError) as error:
            log.warning("no sign of life could be left: %s: %s", type(error).__name__, error)

    def _report_to_controller(self) -> bool:
        """Tell whoever ordered the burst how far it is; whether it is still wanted."""
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
                message = f"the clock moved by {jump:+.0f} s at once: it was set, or the machine was asleep"
                log.warning(message)
                report_problem(connection, ProblemKind.CLOCK_CHANGED, MACHINE_SUBJECT, message)


class SingleFlight(Generic[T]):
    """Blocking work in a thread of its own, of which no more is begun while some hangs.

    The threads of the default executor are those that polls are stored in; and nobody waits for this one at the end.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._running: Future[T] | None = None

    async def run(self) -> T:
        """Do it; raises `TimeoutError` if it takes too long, or hangs since an earlier time."""
        if self._running is not None and not self._running.done():
            raise TimeoutError("hangs")
        future = self._running = Future()
        future.set_running_or_notify_cancel()  # it cannot be cancelled from now on
        threading.Thread(target=self._execute, args=(future,), daemon=True).start()
        return await asyncio.wait_for(asyncio.wrap_future(future), ANSWER_TIMEOUT_SECONDS)

    def _execute(self, future: Future[T]) -> None:
        try:
            future.set_result(self._work())
        except Exception as error:  # whoever waits for it deals with it
            future.set_exception(error)


def _clock_offset() -> float:
    """Seconds by which the wall clock is ahead of the one that nobody sets and that stands still in sleep."""
    return time.time() - time.monotonic()
