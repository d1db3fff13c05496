"""Whether the wall clock goes with the monotonic one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from edge_assets.health.words import duration

JUMP_SECONDS = 2.0
"""What NTP corrects at once rather than slowly; two readings are microseconds apart."""
TOLD_SECONDS = 600.0


class Reading(NamedTuple):
    """Seconds of three clocks at one moment: `awake` stands still while the machine is suspended, `boot` does not."""

    wall: float
    awake: float
    boot: float


def read_clocks() -> Reading:
    """The clocks now; where there is no clock of the boot, a suspension looks like a jump."""
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
    return Reading(time.time(), time.monotonic(), boot)


@dataclass(slots=True)
class ClockWatch:
    """Compares each reading with the one before."""

    _last: Reading | None = None
    _told: str = ""
    _told_at: float = 0.0

    def observe(self, now: Reading) -> str:
        """What happened to the clock in the last ten minutes; empty: nothing."""
        if self._last is not None and (said := _compare(self._last, now)):
            self._told, self._told_at = said, now.boot
        self._last = now
        return self._told if self._told and now.boot - self._told_at < TOLD_SECONDS else ""


def _compare(last: Reading, now: Reading) -> str:
    asleep = (now.boot - last.boot) - (now.awake - last.awake)
    jump = (now.wall - last.wall) - (now.boot - last.boot)
    at = f"{datetime.fromtimestamp(now.wall, UTC):%H:%M:%S} UTC"
    if abs(jump) > JUMP_SECONDS:
        direction = "forward" if jump > 0 else "back"
        return f"it was set {direction} by {duration(timedelta(seconds=abs(jump)))}; seen at {at}"
    if asleep > JUMP_SECONDS:
        return f"the machine was suspended for {duration(timedelta(seconds=asleep))} until {at}"
    return ""
