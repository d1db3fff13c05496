"""Virtual time: which moment of the tape a request sees.

Three ways to play, one interface: with the wall clock (simulator), flowing N times as fast as real time, or
stepping from capture to capture as they are consumed. Requests are served on one event loop and no method
here awaits, so every call is atomic.
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
    """What a response states: the virtual time, and how fast it flows (0: the tape ended)."""

    at: datetime
    speed: float


class Playback(Protocol):
    """Decides the moment of every request."""

    speed: float

    def now(self) -> PlaybackTime:
        """The moment for everything but odds."""
        ...

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:
        """The moment for a sport's odds; `consumed` acknowledges that sport's polls up to that time."""
        ...

    def horizon(self) -> datetime:
        """The latest time that the historical endpoints may tell about."""
        ...

    def position(self) -> int:
        """How many captures lie behind."""
        ...


class WallClockPlayback:
    """The wall clock, for tapes without end."""

    speed = 1.0

    def now(self) -> PlaybackTime:
        """The wall clock's time."""
        return PlaybackTime(datetime.now(UTC), self.speed)

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:  # noqa: ARG002 - time passes for all alike
        """The wall clock's time."""
        return self.now()

    def horizon(self) -> datetime:
        """Now: the future is not known."""
        return self.now().at

    def position(self) -> int:
        """Always 0: there are no captures to count."""
        return 0


class TimedPlayback:
    """Time flows `speed` times as fast as the wall clock, from the first request for odds on.

    It begins at the first capture, or at the latest acknowledged time if that is later (a restarted server
    continues where its client stands), and stops at the last capture.
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

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:  # noqa: ARG002 - time passes for all alike
        """The virtual time, which starts to flow now if it did not yet."""
        if self._anchored_at is None or (consumed and consumed > self.now().at):
            self._anchor = max(self.now().at, consumed or self._anchor)
            self._anchored_at = self._monotonic()
        return self.now()

    def horizon(self) -> datetime:
        """The last capture."""
        return self._captures[-1].at

    def position(self) -> int:
        """How many captures are not in the future."""
        return _count_reached(self._captures, self.now().at)


class SteppingPlayback:
    """The cursor moves past a capture once its sport has acknowledged it, so that nothing is skipped.

    A sport that waits for others to catch up sees its newest capture behind the cursor again, at that
    capture's own time: storing it once more changes nothing.
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
        """The time of the capture at the cursor; at the end of the tape that of the last one."""
        if self._cursor == len(self._captures):
            return PlaybackTime(self.horizon(), 0.0)
        return PlaybackTime(self._captures[self._cursor].at, self.speed)

    def advance(self, sport: str, consumed: datetime | None) -> PlaybackTime:
        """The time of the capture that the sport is to see."""
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
        """How many captures have been consumed."""
        return self._cursor

    def _move_cursor(self) -> None:
        while self._cursor < len(self._captures):
            at, sport = self._captures[self._cursor]
            if self._consumed.get(sport, _MIN_TIME) < at:
                return
            self._cursor += 1


_MIN_TIME = datetime.min.replace(tzinfo=UTC)


def create_playback(captures: Sequence[Capture], speed: float) -> Playback:
    """The way to play a tape: `speed` times as fast as the wall clock, `inf` to step when consumed."""
    if not captures:
        return WallClockPlayback()
    return SteppingPlayback(captures) if speed == inf else TimedPlayback(captures, speed)


def _count_reached(captures: Sequence[Capture], at: datetime) -> int:
    return bisect_right(captures, at, key=lambda capture: capture.at)
