"""Memory use of the services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KIB = 1024


def memory_by_service(pids: Mapping[str, int]) -> dict[str, int]:
    """Bytes used by each service and its children, given the process ids of the services.

    On Linux the proportional set size, which divides shared memory among processes, so the figures add up. Elsewhere
    the resident set size, which counts shared memory in full for each. Processes that have ended count as 0.
    """
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process.pid)
    return {service: sum(map(_memory_bytes, _process_tree(pid, children))) for service, pid in pids.items()}


def _process_tree(pid: int, children: Mapping[int, list[int]]) -> Iterable[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _process_tree(child, children)


def _memory_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) * KIB for line in rollup.splitlines() if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return _resident_bytes(pid)


def _resident_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
