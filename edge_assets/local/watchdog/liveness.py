"""Decides from signs of life, on the monotonic clock, when a service is silent and when to restart it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

MAX_WAIT_SECONDS = 3600.0
RESET_AFTER_SECONDS = 600.0
"""After this long without trouble, earlier restarts are forgotten."""
MAX_OBSERVATION_GAP_SECONDS = 30.0
"""The most that counts between two observations: after a longer gap the watchdog itself was stopped, probably with all
that it watches, and nothing can have shown a sign of life meanwhile."""
SILENT: Final = "silent"
"""The sign of a service that did not answer: silence counts from its last answer, not from the first question without
one."""


@dataclass(frozen=True, slots=True)
class LivenessTimeouts:
    """Seconds allowed for a start, and seconds of silence before a report and before a restart.

    Each further restart waits twice as long: on a busy machine a start takes minutes, and every attempt adds load.
    """

    start_seconds: float
    report_seconds: float
    restart_seconds: float


@dataclass(slots=True)
class Liveness:
    """Follows the signs of life of one service. A sign is any value that changes while it works.

    `changed_at` is when it last changed, or when watching started (monotonic seconds).
    """

    timeouts: LivenessTimeouts
    changed_at: float
    has_changed: bool = False
    _sign: Hashable = None
    _pid: int = 0
    _started_at: float = float("-inf")
    _observed_at: float = float("inf")
    _restarts: int = 0
    _has_started: bool = False
    """Whether the present process has shown a sign of life, so that it is not still starting."""

    def observe(self, sign: Hashable, pid: int, now: float) -> None:
        """Record a sign and the process id. A sign of None is unknown, and counts as life."""
        unobserved = max(now - self._observed_at - MAX_OBSERVATION_GAP_SECONDS, 0.0)
        self.changed_at, self._observed_at = self.changed_at + unobserved, now
        if pid != self._pid:
            self._pid, self._started_at, self._has_started = pid, now, False
        if sign is None:
            self.changed_at = now
        elif sign not in {self._sign, SILENT}:
            self._has_started = self._sign is not None
            self.has_changed = self.has_changed or self._has_started
            self._sign, self.changed_at = sign, now
        if now - self._started_at > RESET_AFTER_SECONDS and now - self.changed_at < self.timeouts.report_seconds:
            self._restarts = 0

    def silent_seconds(self, now: float) -> float | None:
        """Seconds of silence if long enough to report, else None."""
        silent = now - self.changed_at
        return (
            silent
            if silent > (self.timeouts.report_seconds if self.has_changed else self.timeouts.start_seconds)
            else None
        )

    def is_restart_due(self, now: float) -> bool:
        """Whether the service has been silent for long enough, and its process has had enough time to start."""
        backoff = 2.0**self._restarts
        timeout = min(self.timeouts.restart_seconds * backoff, MAX_WAIT_SECONDS)
        start_timeout = min(self.timeouts.start_seconds * backoff, MAX_WAIT_SECONDS)
        is_starting = not self._has_started and now - self._started_at <= start_timeout
        return now - self.changed_at > timeout and not is_starting

    def record_restart(self) -> int:
        """Count a restart; returns how many there were before."""
        self._restarts += 1
        return self._restarts - 1


@dataclass(slots=True)
class StartCounter:
    """Counts recent starts of a program, by its process ids."""

    window_seconds: float = 180.0
    _pid: int = 0
    _started_at: list[float] = field(default_factory=list)

    def observe(self, pid: int, now: float) -> int:
        """Record a process id (0: none); returns how many new ones appeared within the window."""
        if pid and self._pid and pid != self._pid:
            self._started_at.append(now)
        self._pid = pid or self._pid
        self._started_at = [at for at in self._started_at if now - at < self.window_seconds]
        return len(self._started_at)
