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
"""For one step. A first start compiles bytecode and reads cold disks; 40 s were seen on two busy cores."""

State = Literal["starting", "ready"]


@dataclass(frozen=True)
class Step:
    """`begin` starts it, `ready` tells whether it has arrived and may raise `LocalError` if it never will."""

    name: str
    after: tuple[str, ...]
    begin: Callable[[], None]
    ready: Callable[[], bool] = lambda: True
    essential: bool = True


def bring_up(steps: Sequence[Step], report: Callable[[str, State, float], None]) -> None:
    """Return when every essential step is ready and every other one has begun.

    `report(name, state, seconds since it began)`. Raises `LocalError` when a step fails or takes too long.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({s.name: [a for a in s.after if a in by_name] for s in steps})
    order.prepare()
    began: dict[str, float] = {}
    arrived: set[str] = set()
    essential = {step.name for step in steps if step.essential}
    while not essential <= arrived or len(began) < len(steps):
        for name in order.get_ready():
            report(name, "starting", 0.0)
            began[name] = time.monotonic()
            by_name[name].begin()
        for name in began.keys() - arrived:
            waited = time.monotonic() - began[name]
            if by_name[name].ready():
                arrived.add(name)
                order.done(name)
                report(name, "ready", waited)
            elif waited > PATIENCE_SECONDS:
                msg = f"{name} is not ready after {waited:.0f} s"
                raise LocalError(msg, "see its log")
        time.sleep(SECONDS_BETWEEN_LOOKS)
