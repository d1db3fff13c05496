"""Starts a graph of steps: each once the steps it depends on are ready."""

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
"""For a step that shows no progress. One that does may take longer: on a busy machine imports take minutes."""
MAX_STEP_SECONDS = 1800.0
"""For a step that shows progress but never becomes ready."""

StepState = Literal["starting", "ready", "failed"]


@dataclass(frozen=True)
class StartupStep:
    """`start` starts it; `is_ready` returns whether it is ready, and raises `LocalError` if it never will be.

    `measure_progress` returns how much work has been done, in any unit, such as CPU seconds.
    """

    name: str
    after: tuple[str, ...]
    start: Callable[[], None]
    is_ready: Callable[[], bool] = lambda: True
    essential: bool = True
    measure_progress: Callable[[], float] = lambda: 0.0


@dataclass
class _StepProgress:
    """When a step was started, and when it last showed progress (monotonic seconds)."""

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
        """Whether it has shown no progress, or not become ready, for too long."""
        now = time.monotonic()
        if measured != self.last_measured:
            self.progressed_at, self.last_measured = now, measured
        return now - self.progressed_at > STALL_TIMEOUT_SECONDS or now - self.started_at > MAX_STEP_SECONDS


def start_in_order(steps: Sequence[StartupStep], report: Callable[[str, StepState, float], None]) -> None:
    """Return when every essential step is ready and all others are started.

    Calls `report(name, state, elapsed_seconds)` when a step changes state. A step is started even if a step before it
    that is not essential has failed. Raises `LocalError` if an essential step fails or stalls.
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
    """The new state of a step; None while it is still starting."""
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
