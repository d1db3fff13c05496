"""The one clock that everything asks for the time.

Live it is the wall clock. In a replay the feed's server states the virtual time with every response,
and everything that decides (ages, starts, cadences) follows it.
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
    """Tells the time and waits in it."""

    def now(self) -> datetime:
        """The current time, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        ...

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Take note of the time that a feed's response states, if it states one."""
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
        """Ignore what a feed says: live, only this machine's clock counts."""


class VirtualClock:
    """The time that a replay server states, flowing at the server's speed between two statements.

    `speed` is virtual seconds per real second; infinite means that time stands still between responses
    and that waiting costs nothing; zero (the end of a tape) means that it stands still for good.
    """

    def __init__(self, now: datetime = EPOCH, speed: float = 0.0) -> None:
        self._server_time = now
        self._observed_at = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        """The last stated time plus what has flowed since."""
        if self.speed in (0.0, float("inf")):
            return self._server_time
        elapsed = (time.monotonic() - self._observed_at) * self.speed
        return datetime.fromtimestamp(self._server_time.timestamp() + elapsed, UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of virtual time; at the end of a tape, of real time."""
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
    """A moment in microseconds as an aware datetime, exactly."""
    return EPOCH + timedelta(microseconds=at)
