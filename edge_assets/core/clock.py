"""The clock that every component uses.

Live, it is the wall clock. In a replay the server states the virtual time with every response, and every decision
(staleness, starts, poll intervals) follows it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

TIME_HEADER = "x-edge-time"
SPEED_HEADER = "x-edge-speed"
EPOCH = datetime.fromtimestamp(0, UTC)


class Clock(Protocol):
    """A source of the current time, and a way to wait in that time."""

    def now(self) -> datetime:
        """The current time, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        ...

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Update from the time that a feed's response states, if any."""
        ...


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The current time, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Do nothing: live, only this machine's clock counts."""


class VirtualClock:
    """The time that a replay server states, running at the server's speed between two responses.

    `speed` is virtual seconds per real second. Infinite: time is frozen between responses and waiting returns at once.
    Zero (the end of a recording): time has stopped.
    """

    def __init__(self, now: datetime = EPOCH, speed: float = 0.0) -> None:
        self._server_time = now
        self._observed_at = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        """The last stated time plus the virtual time since."""
        if self.speed in (0.0, float("inf")):
            return self._server_time
        elapsed = (time.monotonic() - self._observed_at) * self.speed
        return datetime.fromtimestamp(self._server_time.timestamp() + elapsed, UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of virtual time; at the end of a recording, of real time."""
        await asyncio.sleep(seconds / self.speed if self.speed else seconds)

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Follow the server's time and speed."""
        if server_time := headers.get(TIME_HEADER):
            self._server_time = datetime.fromisoformat(server_time)
            self._observed_at = time.monotonic()
            self.speed = float(headers.get(SPEED_HEADER, "1"))


def to_micros(at: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def to_datetime(at: int) -> datetime:
    """Microseconds since the epoch as an aware datetime, exactly."""
    return EPOCH + timedelta(microseconds=at)
