"""Watches the watchdog. Run by the activator, which the watchdog watches in turn."""

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

SECONDS_BETWEEN_CHECKS = 10.0
WATCHDOG_TIMEOUTS = LivenessTimeouts(start_seconds=180, report_seconds=30, restart_seconds=90)
"""A round takes up to 45 seconds. `edge_assets.health` reports a silent watchdog, from its heartbeats."""

log = logging.getLogger(__name__)


def write_heartbeat(home: Home) -> None:
    """Record that the watchdog has finished a round; in a file, because the database may be unreachable."""
    with suppress(OSError):
        _heartbeat_path(home).touch()


async def watch_watchdog(home: Home, supervisor: Supervisor) -> None:
    """Restart the watchdog whenever it hangs; does not return."""
    monitor = WatchdogMonitor(home, supervisor)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_CHECKS)
        with suppress(LocalError, OSError):  # supervisord is down or hangs; try again next time
            await asyncio.to_thread(monitor.check, time.monotonic())


class WatchdogMonitor:
    """Follows the watchdog's heartbeats, and restarts it if they stop."""

    def __init__(self, home: Home, supervisor: Supervisor, timeouts: LivenessTimeouts = WATCHDOG_TIMEOUTS) -> None:
        self._path = _heartbeat_path(home)
        self._supervisor = supervisor
        self._liveness = Liveness(timeouts, time.monotonic())

    def check(self, now: float) -> None:
        """Check once, at `now` (monotonic seconds); a watchdog that is stopped or not yet started is left alone."""
        pid = next((program.pid for program in self._supervisor.programs() if program.name == WATCHDOG), 0)
        self._liveness.observe(self._read_heartbeat() if pid else None, pid, now)
        if self._liveness.is_restart_due(now):
            log.warning("the watchdog hangs: restarting it")
            self._liveness.record_restart()
            self._supervisor.restart(WATCHDOG)

    def _read_heartbeat(self) -> Hashable:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return "none yet"


def _heartbeat_path(home: Home) -> Path:
    return home.run / "watchdog.alive"
