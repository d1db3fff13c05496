"""Virtual time: which point of the recording a request sees.

Three implementations: the wall clock (simulator), N times real time, or stepping from capture to capture as they are
consumed. Requests are served on one event loop and no method here awaits, so every call is atomic.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_assets.feeds.recordings.source import Capture

MAX_CALLS_PER_SECOND = 30


class PlaybackTime(NamedTuple):
    """What a response states: the virtual time and its speed (0: the recording has ended)."""

    at: datetime
    speed: float


class Playback(Protocol):
    """Determines the virtual time of every request."""

    speed: float

    def now(self) -> PlaybackTime:
        """The time for every request except odds."""
        ...

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:
        """The time for a sport's odds; `consumed` acknowledges that sport's polls up to that time."""
        ...

    def horizon(self) -> datetime:
        """The latest time that the historical endpoints may return."""
        ...

    def position(self) -> int:
        """The number of captures already passed."""
        ...


class WallClockPlayback:
    """The wall clock, for sources without end."""

    speed = 1.0

    def now(self) -> PlaybackTime:
        """The wall clock's time."""
        return PlaybackTime(datetime.now(UTC), self.speed)

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:  # noqa: ARG002 - the same for all sports
        """The wall clock's time."""
        return self.now()

    def horizon(self) -> datetime:
        """Now: there is no future data."""
        return self.now().at

    def position(self) -> int:
        """Always 0: there are no captures to count."""
        return 0


class TimedPlayback:
    """Time runs `speed` times as fast as the wall clock, from the first request for odds on.

    It starts at the first capture, or at the latest acknowledged time if that is later (a restarted server continues
    where its client was), and stops at the last capture.
    """

    def __init__(
        self, captures: Sequence[Capture], speed: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.speed = speed
        self._captures = captures
        self._monotonic = monotonic
        self._anchor = captures[0].at
        self._anchored_at: float | None = None

    def now(self) -> PlaybackTime:
        """The virtual time."""
        if self._anchored_at is None:
            return PlaybackTime(self._anchor, self.speed)
        elapsed = timedelta(seconds=(self._monotonic() - self._anchored_at) * self.speed)
        end = self.horizon()
        return (
            PlaybackTime(end, 0.0)
            if elapsed >= end - self._anchor
            else PlaybackTime(self._anchor + elapsed, self.speed)
        )

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:  # noqa: ARG002 - the same for all sports
        """The virtual time; starts the clock on the first call."""
        if self._anchored_at is None or (consumed and consumed > self.now().at):
            self._anchor = max(self.now().at, consumed or self._anchor)
            self._anchored_at = self._monotonic()
        return self.now()

    def horizon(self) -> datetime:
        """The last capture."""
        return self._captures[-1].at

    def position(self) -> int:
        """The number of captures that are not in the future."""
        return _count_reached(self._captures, self.now().at)


class SteppingPlayback:
    """Moves past a capture once its sport has acknowledged it, so that none is skipped.

    A sport that is ahead of others keeps getting its newest capture up to the cursor, at that capture's own time:
    storing it again changes nothing.
    """

    speed = inf

    def __init__(self, captures: Sequence[Capture]) -> None:
        self._captures = captures
        self._times: dict[str, list[datetime]] = defaultdict(list)
        for at, sport in captures:
            self._times[sport].append(at)
        self._cursor = 0
        self._consumed: dict[str, datetime] = {}

    def now(self) -> PlaybackTime:
        """The time of the capture at the cursor; at the end of the recording that of the last one."""
        if self._cursor == len(self._captures):
            return PlaybackTime(self.horizon(), 0.0)
        return PlaybackTime(self._captures[self._cursor].at, self.speed)

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:
        """The time of the capture to serve for the sport."""
        if consumed and consumed > self._consumed.get(sport, _MIN_TIME):
            self._consumed[sport] = consumed
            self._move_cursor()
        now = self.now()
        horizon = max(now.at, self._consumed.get(sport, _MIN_TIME))
        times = self._times.get(sport, [])
        seen = bisect_right(times, horizon)
        return PlaybackTime(times[seen - 1], now.speed) if seen else now

    def horizon(self) -> datetime:
        """The last capture."""
        return self._captures[-1].at

    def position(self) -> int:
        """The number of captures consumed."""
        return self._cursor

    def _move_cursor(self) -> None:
        while self._cursor < len(self._captures):
            at, sport = self._captures[self._cursor]
            if self._consumed.get(sport, _MIN_TIME) < at:
                return
            self._cursor += 1


_MIN_TIME = datetime.min.replace(tzinfo=UTC)


def create_playback(captures: Sequence[Capture], speed: float) -> Playback:
    """Create the playback: `speed` times as fast as the wall clock, or `inf` to step when consumed."""
    if not captures:
        return WallClockPlayback()
    return SteppingPlayback(captures) if speed == inf else TimedPlayback(captures, speed)


def _count_reached(captures: Sequence[Capture], at: datetime) -> int:
    return bisect_right(captures, at, key=lambda capture: capture.at)
