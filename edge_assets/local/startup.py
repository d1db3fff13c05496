"""Bringing a graph of steps up: each begins once those before it are ready."""

from __future__ import annotations

import time
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Literal

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHECK_INTERVAL_SECONDS = 0.1
STALL_TIMEOUT_SECONDS = 150.0
"""For a step without a sign of life. One that works may take longer: beside twenty busy loops imports take minutes."""
MAX_STEP_SECONDS = 1800.0
"""For a step that works and never arrives."""

StepState = Literal["starting", "ready", "failed"]


@dataclass(frozen=True)
class StartupStep:
    """`start` starts it, `is_ready` tells whether it has arrived and may raise `LocalError` if it never will.

    `work` tells how much has been done for it, in any unit, like the seconds of CPU that it has used.
    """

    name: str
    after: tuple[str, ...]
    start: Callable[[], None]
    is_ready: Callable[[], bool] = lambda: True
    essential: bool = True
    measure_progress: Callable[[], float] = lambda: 0.0


@dataclass
class _StepProgress:
    """For one step that has begun: since when, and when it last showed that it works."""

    started_at: float
    progressed_at: float
    last_measured: float = 0.0

    @classmethod
    def start_now(cls) -> _StepProgress:
        return cls(time.monotonic(), time.monotonic())

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self.started_at

    def is_stalled(self, measured: float) -> bool:
        """Whether it has stood still for too long, or worked for too long."""
        now = time.monotonic()
        if measured != self.last_measured:
            self.progressed_at, self.last_measured = now, measured
        return now - self.progressed_at > STALL_TIMEOUT_SECONDS or now - self.started_at > MAX_STEP_SECONDS


def start_in_order(steps: Sequence[StartupStep], report: Callable[[str, StepState, float], None]) -> None:
    """Return when every essential step is ready and every other one has begun.

    `report(name, state, elapsed_seconds since it began)`. What waits for a step that is not essential begins even if
    that one fails. Raises `LocalError` when an essential step fails, or shows no sign of life for too long.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({s.name: [a for a in s.after if a in by_name] for s in steps})
    order.prepare()
    in_progress: dict[str, _StepProgress] = {}
    finished: set[str] = set()
    essential = {step.name for step in steps if step.essential}
    while not essential <= finished or len(in_progress) < len(steps):
        for name in order.get_ready():
            report(name, "starting", 0.0)
            in_progress[name] = _StepProgress.start_now()
            by_name[name].start()
        for name in in_progress.keys() - finished:
            if state := _check_step(by_name[name], in_progress[name]):
                finished.add(name)
                order.done(name)
                report(name, state, in_progress[name].elapsed_seconds)
        time.sleep(CHECK_INTERVAL_SECONDS)


def _check_step(step: StartupStep, progress: _StepProgress) -> StepState | None:
    """What has become of a step; None while it is worth waiting for."""
    try:
        if step.is_ready():
            return "ready"
        if progress.is_stalled(step.measure_progress()):
            msg = f"{step.name} is not ready after {progress.elapsed_seconds:.0f} s"
            raise LocalError(msg, "see its log")
    except LocalError:
        if step.essential:
            raise
        return "failed"
    return None
