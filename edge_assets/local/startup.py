"""Bringing a graph of steps up: each begins once those before it are ready."""

from __future__ import annotations

import time
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Literal

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECONDS_BETWEEN_LOOKS = 0.1
PATIENCE_SECONDS = 150.0
"""For a step without a sign of life. One that works may take longer: beside twenty busy loops imports take minutes."""
LONGEST_SECONDS = 1800.0
"""For a step that works and never arrives."""

State = Literal["starting", "ready", "failed"]


@dataclass(frozen=True)
class Step:
    """`begin` starts it, `ready` tells whether it has arrived and may raise `LocalError` if it never will.

    `work` tells how much has been done for it, in any unit, like the seconds of CPU that it has used.
    """

    name: str
    after: tuple[str, ...]
    begin: Callable[[], None]
    ready: Callable[[], bool] = lambda: True
    essential: bool = True
    work: Callable[[], float] = lambda: 0.0


@dataclass
class _Wait:
    """For one step that has begun: since when, and when it last showed that it works."""

    began: float
    moved: float
    work: float = 0.0

    @classmethod
    def since_now(cls) -> _Wait:
        return cls(time.monotonic(), time.monotonic())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def is_hopeless(self, work: float) -> bool:
        """Whether it has stood still for too long, or worked for too long."""
        now = time.monotonic()
        if work != self.work:
            self.moved, self.work = now, work
        return now - self.moved > PATIENCE_SECONDS or now - self.began > LONGEST_SECONDS


def bring_up(steps: Sequence[Step], report: Callable[[str, State, float], None]) -> None:
    """Return when every essential step is ready and every other one has begun.

    `report(name, state, seconds since it began)`. What waits for a step that is not essential begins even if that one
    fails. Raises `LocalError` when an essential step fails, or shows no sign of life for too long.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({s.name: [a for a in s.after if a in by_name] for s in steps})
    order.prepare()
    began: dict[str, _Wait] = {}
    over: set[str] = set()
    essential = {step.name for step in steps if step.essential}
    while not essential <= over or len(began) < len(steps):
        for name in order.get_ready():
            report(name, "starting", 0.0)
            began[name] = _Wait.since_now()
            by_name[name].begin()
        for name in began.keys() - over:
            if state := _look_at(by_name[name], began[name]):
                over.add(name)
                order.done(name)
                report(name, state, began[name].seconds)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _look_at(step: Step, wait: _Wait) -> State | None:
    """What has become of a step; None while it is worth waiting for."""
    try:
        if step.ready():
            return "ready"
        if wait.is_hopeless(step.work()):
            msg = f"{step.name} is not ready after {wait.seconds:.0f} s"
            raise LocalError(msg, "see its log")
    except LocalError:
        if step.essential:
            raise
        return "failed"
    return None
