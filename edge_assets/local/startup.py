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

State = Literal["starting", "ready"]


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

    def is_hopeless(self, now: float, work: float) -> bool:
        if work != self.work:
            self.moved, self.work = now, work
        return now - self.moved > PATIENCE_SECONDS or now - self.began > LONGEST_SECONDS


def bring_up(steps: Sequence[Step], report: Callable[[str, State, float], None]) -> None:
    """Return when every essential step is ready and every other one has begun.

    `report(name, state, seconds since it began)`. Raises `LocalError` when a step fails, or shows no sign of life for
    too long.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({s.name: [a for a in s.after if a in by_name] for s in steps})
    order.prepare()
    began: dict[str, _Wait] = {}
    arrived: set[str] = set()
    essential = {step.name for step in steps if step.essential}
    while not essential <= arrived or len(began) < len(steps):
        for name in order.get_ready():
            report(name, "starting", 0.0)
            now = time.monotonic()
            began[name] = _Wait(now, now)
            by_name[name].begin()
        for name in began.keys() - arrived:
            now = time.monotonic()
            waited = now - began[name].began
            if by_name[name].ready():
                arrived.add(name)
                order.done(name)
                report(name, "ready", waited)
            elif began[name].is_hopeless(now, by_name[name].work()):
                msg = f"{name} is not ready after {waited:.0f} s"
                raise LocalError(msg, "see its log")
        time.sleep(SECONDS_BETWEEN_LOOKS)
