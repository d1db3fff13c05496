"""Detects jumps of the wall clock against the monotonic one, and suspensions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from edge_assets.health.formatting import format_duration

MIN_JUMP_SECONDS = 2.0
"""NTP steps the clock only for larger offsets; the readings of one observation are microseconds apart."""
REPORT_FOR_SECONDS = 600.0


class ClockReading(NamedTuple):
    """Seconds of three clocks at one moment; in a suspension, `monotonic` stops and `boottime` goes on."""

    wall: float
    monotonic: float
    boottime: float


def read_clocks() -> ClockReading:
    """Read the clocks; without a boot-time clock (macOS), a suspension is reported as a jump."""
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
    return ClockReading(time.time(), time.monotonic(), boot)


@dataclass(slots=True)
class ClockMonitor:
    """Compares each reading with the one before."""

    _last: ClockReading | None = None
    _last_change: str = ""
    _last_change_at: float = 0.0

    def observe(self, now: ClockReading) -> str:
        """The change of the clock in the last ten minutes; empty if there was none."""
        if self._last is not None and (change := _describe_change(self._last, now)):
            self._last_change, self._last_change_at = change, now.boottime
        self._last = now
        return (
            self._last_change if self._last_change and now.boottime - self._last_change_at < REPORT_FOR_SECONDS else ""
        )


def _describe_change(last: ClockReading, now: ClockReading) -> str:
    suspended = (now.boottime - last.boottime) - (now.monotonic - last.monotonic)
    jump = (now.wall - last.wall) - (now.boottime - last.boottime)
    at = f"{datetime.fromtimestamp(now.wall, UTC):%H:%M:%S} UTC"
    if abs(jump) > MIN_JUMP_SECONDS:
        direction = "forward" if jump > 0 else "back"
        return f"the clock was set {direction} by {format_duration(timedelta(seconds=abs(jump)))}, noticed at {at}"
    if suspended > MIN_JUMP_SECONDS:
        return f"the machine was suspended for {format_duration(timedelta(seconds=suspended))} until {at}"
    return ""
