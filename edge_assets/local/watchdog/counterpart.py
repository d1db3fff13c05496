"""Who looks after the watchdog: the activator does, which the watchdog looks after in turn."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_assets.health.assessment import WATCHDOG
from edge_assets.local.errors import LocalError
from edge_assets.local.watchdog.liveness import Liveness, Patience

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import Supervisor

SECONDS_BETWEEN_LOOKS = 10.0
PATIENCE = Patience(start=180, tell=30, restart=90)
"""A round takes up to 45 seconds. That it is silent is told by `edge_assets.health`, from its heartbeats."""

log = logging.getLogger(__name__)


def show_life(home: Home) -> None:
    """Leave a sign of life, by the watchdog after each round: in a file, as the database may be away for long."""
    with suppress(OSError):
        _sign_at(home).touch()


async def look_after_watchdog(home: Home, supervisor: Supervisor) -> None:
    """Restart the watchdog whenever it hangs; does not return."""
    counterpart = Counterpart(home, supervisor)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        with suppress(LocalError, OSError):  # a supervisord that is away or hangs; the next look may find it
            await asyncio.to_thread(counterpart.look, time.monotonic())


class Counterpart:
    """Remembers when the watchdog last showed life."""

    def __init__(self, home: Home, supervisor: Supervisor, patience: Patience = PATIENCE) -> None:
        self._path = _sign_at(home)
        self._supervisor = supervisor
        self._life = Liveness(patience, time.monotonic())

    def look(self, now: float) -> None:
        """Look once, at `now` (monotonic seconds); one that is stopped or not yet started is let be."""
        pid = next((program.pid for program in self._supervisor.programs() if program.name == WATCHDOG), 0)
        self._life.observe(self._sign() if pid else None, pid, now)
        if self._life.is_to_restart(now):
            log.warning("the watchdog hangs and is restarted")
            self._life.restarted()
            self._supervisor.restart(WATCHDOG)

    def _sign(self) -> Hashable:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return "none yet"


def _sign_at(home: Home) -> Path:
    return home.run / "watchdog.alive"
