"""The machine's free disk and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.health.formatting import format_bytes
from edge_assets.health.issues import HealthIssue
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 2**30
MIN_FREE_DISK_BYTES = 2 * GIB
FULL_DISK_BYTES = GIB // 8
"""The rest fills within seconds, and a crashed database may lack the room to recover."""
MIN_AVAILABLE_MEMORY_BYTES = GIB // 4
"""While everything runs; starting needs more (`edge doctor` checks that)."""


class MachineResources(NamedTuple):
    """Bytes free on the disk of `path`, bytes of memory available without swapping, and bytes written per day."""

    path: str
    free_disk_bytes: int
    available_memory_bytes: int
    bytes_per_day: float = 0.0


def assess_disk(path: str, free: int, bytes_per_day: float = 0.0) -> Iterator[HealthIssue]:
    """Issue a problem if its `free` bytes are low, or nearly gone."""
    if free < max(MIN_FREE_DISK_BYTES, bytes_per_day):
        adds = f", a day adds {format_bytes(round(bytes_per_day))}" if bytes_per_day else ""
        kind = ProblemKind.DISK_FULL if free < FULL_DISK_BYTES else ProblemKind.DISK_LOW
        yield HealthIssue(kind, "", f"{format_bytes(free)} free at {path}{adds}")


def assess_machine(machine: MachineResources) -> Iterator[HealthIssue]:
    """Issues with the machine's disk and memory."""
    yield from assess_disk(machine.path, machine.free_disk_bytes, machine.bytes_per_day)
    if machine.available_memory_bytes < MIN_AVAILABLE_MEMORY_BYTES:
        yield HealthIssue(ProblemKind.MEMORY_LOW, "", f"{format_bytes(machine.available_memory_bytes)} available")
