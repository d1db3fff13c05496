"""Whether something moves, on the monotonic clock, and when to restart it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

LONGEST_WAIT_SECONDS = 3600.0
STEADY_SECONDS = 600.0
"""After so long at work earlier restarts are forgotten."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without a sign of life: of something that has never shown one (it starts), until it is told, until it
    is restarted for the first time; each further restart waits twice as long."""

    start: float
    tell: float
    restart: float


@dataclass(slots=True)
class Liveness:
    """Follows the signs of life of one service. A sign is any value that changes while it works.

    `since` is when it changed last, or watching began (monotonic seconds).
    """

    patience: Patience
    since: float
    has_lived: bool = False
    _sign: Hashable = None
    _restarts: int = 0
    _restarted_at: float = field(default=float("-inf"))

    def observe(self, sign: Hashable, now: float) -> None:
        """Take note of a sign; None: nobody could tell, which counts as one, so that nothing is held against it."""
        if sign is None:
            self.since = now
        elif sign != self._sign:
            self.has_lived = self.has_lived or self._sign is not None
            self._sign, self.since = sign, now
        if self._restarts and now - self._restarted_at > STEADY_SECONDS and now - self.since < self.patience.tell:
            self._restarts = 0

    def silence(self, now: float) -> float | None:
        """For how many seconds nothing was heard, if that is to be told."""
        quiet = now - self.since
        return quiet if quiet > (self.patience.tell if self.has_lived else self.patience.start) else None

    def is_to_restart(self, now: float) -> bool:
        """Whether patience is at its end."""
        first = self.patience.restart if self.has_lived else self.patience.start
        wait = min(first * 2.0**self._restarts, LONGEST_WAIT_SECONDS)
        return now - max(self.since, self._restarted_at) > wait

    def restarted(self, now: float) -> int:
        """Take note of a restart; returns how many there were before it."""
        self._restarts, self._restarted_at = self._restarts + 1, now
        return self._restarts - 1


@dataclass(slots=True)
class Starts:
    """Counts how often a program was started lately, by its process ids."""

    window_seconds: float = 180.0
    _pid: int = 0
    _at: list[float] = field(default_factory=list)

    def observe(self, pid: int, now: float) -> int:
        """Take note of a process id (0: none); returns how many new ones came within the window."""
        if pid and self._pid and pid != self._pid:
            self._at.append(now)
        self._pid = pid or self._pid
        self._at = [at for at in self._at if now - at < self.window_seconds]
        return len(self._at)
