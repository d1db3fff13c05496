"""What goes on beside the polls of a burst: is its run still wanted, does the clock stay, a sign of life."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from edge_assets.store.database import connect
from edge_assets.store.problems import ProblemKind, beat, report_problem

if TYPE_CHECKING:
    from edge_assets.ingestion.desk import BurstOrder, Desk

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

    async def run(self) -> None:
        """Look every few seconds."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def look(self) -> None:
        """Look once; whatever goes wrong here is no reason to stop polling."""
        try:
            wanted = await asyncio.wait_for(asyncio.to_thread(self._report), SECONDS_FOR_AN_ANSWER)
            if not wanted:
                self._desk.called_off.set()
        except Exception as error:  # the orchestrator's, whatever it is
            log.warning("the orchestrator does not answer: %s: %s", type(error).__name__, error)
        try:
            await asyncio.to_thread(self._tell)
        except psycopg.Error as error:
            log.warning("no sign of life could be left: %s", error)

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


def _drift() -> float:
    """Seconds by which the wall clock is ahead of the one that nobody sets and that stands still in sleep."""
    return time.time() - time.monotonic()
