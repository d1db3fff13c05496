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
    """Seconds that a process is given to start; without a sign of life until it is told, and until it is restarted.

    Each further restart waits twice as long: on a busy machine starting takes minutes, and every try adds load.
    """

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
    _pid: int = 0
    _started_at: float = float("-inf")
    _restarts: int = 0

    def observe(self, sign: Hashable, pid: int, now: float) -> None:
        """Take note of a sign, and of the process id; None: nobody could tell, so that nothing is held against it."""
        if pid != self._pid:
            self._pid, self._started_at = pid, now
        if sign is None:
            self.since = now
        elif sign != self._sign:
            self.has_lived = self.has_lived or self._sign is not None
            self._sign, self.since = sign, now
        if now - self._started_at > STEADY_SECONDS and now - self.since < self.patience.tell:
            self._restarts = 0

    def silence(self, now: float) -> float | None:
        """For how many seconds nothing was heard, if that is to be told."""
        quiet = now - self.since
        return quiet if quiet > (self.patience.tell if self.has_lived else self.patience.start) else None

    def is_to_restart(self, now: float) -> bool:
        """Whether patience is at its end, with the silence and with the process."""
        grown = 2.0**self._restarts
        patience = min(self.patience.restart * grown, LONGEST_WAIT_SECONDS)
        starting = min(self.patience.start * grown, LONGEST_WAIT_SECONDS)
        return now - self.since > patience and now - self._started_at > starting

    def restarted(self) -> int:
        """Take note of a restart; returns how many there were before it."""
        self._restarts += 1
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
