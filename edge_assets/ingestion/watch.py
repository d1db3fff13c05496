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

from edge_assets.store.database import connect
from edge_assets.store.problems import ProblemKind, beat, report_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_assets.ingestion.desk import BurstOrder, Desk

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_FOR_AN_ANSWER = 10.0
"""An orchestrator that does not answer gives nothing up."""
JUMP_SECONDS = 5.0
"""By which the wall clock and the one that nobody sets may drift apart between two looks."""
SERVICE = "burst"
MACHINE = "machine"
"""The subject of a clock that jumped, under all sports."""

log = logging.getLogger(__name__)


class Watch:
    """Watches over one burst until it is cancelled."""

    def __init__(self, order: BurstOrder, desk: Desk) -> None:
        self._order = order
        self._desk = desk
        self._is_work_noted = self._is_poll_noted = False
        self._drift = _drift()
        self._reporting, self._telling = OneAtATime(self._report), OneAtATime(self._tell)

    async def run(self) -> None:
        """Look every few seconds."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def look(self) -> None:
        """Look once; whatever goes wrong here is no reason to stop polling."""
        try:
            if not await self._reporting.result():
                self._desk.called_off.set()
        except Exception as error:  # the orchestrator's, whatever it is
            log.warning("the orchestrator does not answer: %s: %s", type(error).__name__, error)
        try:
            await self._telling.result()
        except (psycopg.Error, TimeoutError) as error:
            log.warning("no sign of life could be left: %s: %s", type(error).__name__, error)

    def _report(self) -> bool:
        """Tell whoever ordered the burst how far it is; whether it is still wanted."""
        orderer = self._order.orderer
        if not orderer.is_wanted():
            return False
        if not self._is_work_noted:
            orderer.note_work()
            self._is_work_noted = True
        if self._desk.polled.is_set() and not self._is_poll_noted:
            orderer.note_poll()
            self._is_poll_noted = True
        return True

    def _tell(self) -> None:
        jump, self._drift = _drift() - self._drift, _drift()
        with closing(connect(self._desk.database_url, "edge-burst watch")) as connection:
            sports = list(self._order.sports)
            ends = max(0, round(self._order.ends - time.monotonic()))
            beat(connection, SERVICE, run_id=self._order.run_id, pid=os.getpid(), sports=sports, seconds_left=ends)
            if abs(jump) > JUMP_SECONDS:
                said = f"the clock moved by {jump:+.0f} s at once: it was set, or the machine was asleep"
                log.warning(said)
                report_problem(connection, ProblemKind.CLOCK_CHANGED, MACHINE, said)


class OneAtATime(Generic[T]):
    """Blocking work in a thread of its own, of which no more is begun while some hangs.

    The threads of the default executor are those that polls are stored in; and nobody waits for this one at the end.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._begun: Future[T] | None = None

    async def result(self) -> T:
        """Do it; raises `TimeoutError` if it takes too long, or hangs since an earlier time."""
        if self._begun is not None and not self._begun.done():
            raise TimeoutError("hangs")
        future = self._begun = Future()
        future.set_running_or_notify_cancel()  # it cannot be cancelled from now on
        threading.Thread(target=self._do, args=(future,), daemon=True).start()
        return await asyncio.wait_for(asyncio.wrap_future(future), SECONDS_FOR_AN_ANSWER)

    def _do(self, future: Future[T]) -> None:
        try:
            future.set_result(self._work())
        except Exception as error:  # whoever waits for it deals with it
            future.set_exception(error)


def _drift() -> float:
    """Seconds by which the wall clock is ahead of the one that nobody sets and that stands still in sleep."""
    return time.time() - time.monotonic()
