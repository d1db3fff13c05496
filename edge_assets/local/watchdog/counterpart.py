"""Who looks after the watchdog: the activator does, which the watchdog looks after in turn."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_assets.health.assessment import WATCHDOG
from edge_assets.local.errors import LocalError
from edge_assets.local.watchdog.liveness import Liveness, LivenessTimeouts

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import Supervisor

SECONDS_BETWEEN_LOOKS = 10.0
PATIENCE = LivenessTimeouts(start_seconds=180, report_seconds=30, restart_seconds=90)
"""A round takes up to 45 seconds. That it is silent is told by `edge_assets.health`, from its heartbeats."""

log = logging.getLogger(__name__)


def write_heartbeat(home: Home) -> None:
    """Leave a sign of life, by the watchdog after each round: in a file, as the database may be away for long."""
    with suppress(OSError):
        _heartbeat_path(home).touch()


async def watch_watchdog(home: Home, supervisor: Supervisor) -> None:
    """Restart the watchdog whenever it hangs; does not return."""
    counterpart = Counterpart(home, supervisor)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        with suppress(LocalError, OSError):  # a supervisord that is away or hangs; the next look may find it
            await asyncio.to_thread(counterpart.check, time.monotonic())


class Counterpart:
    """Remembers when the watchdog last showed life."""

    def __init__(self, home: Home, supervisor: Supervisor, patience: LivenessTimeouts = PATIENCE) -> None:
        self._path = _heartbeat_path(home)
        self._supervisor = supervisor
        self._life = Liveness(patience, time.monotonic())

    def check(self, now: float) -> None:
        """Look once, at `now` (monotonic seconds); one that is stopped or not yet started is let be."""
        pid = next((program.pid for program in self._supervisor.programs() if program.name == WATCHDOG), 0)
        self._life.observe(self._read_heartbeat() if pid else None, pid, now)
        if self._life.is_restart_due(now):
            log.warning("the watchdog hangs and is restarted")
            self._life.record_restart()
            self._supervisor.restart(WATCHDOG)

    def _read_heartbeat(self) -> Hashable:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return "none yet"


def _heartbeat_path(home: Home) -> Path:
    return home.run / "watchdog.alive"
