"""What the machine has left: disk and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.health.findings import HealthIssue
from edge_assets.health.words import format_bytes
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 2**30
MIN_FREE_DISK_BYTES = 2 * GIB
FULL_DISK_BYTES = GIB // 8
"""What is left is gone within seconds, and a database that ends can hardly recover in it."""
MIN_AVAILABLE_MEMORY_BYTES = GIB // 4
"""While everything runs; before it starts more is wanted (`edge doctor`)."""


class MachineResources(NamedTuple):
    """Bytes free on the disk of `place`, of memory that programs can have without swapping, and what a day adds."""

    path: str
    free_disk_bytes: int
    available_memory_bytes: int
    bytes_per_day: float = 0.0


def assess_disk(place: str, free: int, bytes_per_day: float = 0.0) -> Iterator[HealthIssue]:
    """Whether its `free` bytes are few, or as good as none."""
    if free < max(MIN_FREE_DISK_BYTES, bytes_per_day):
        adds = f", a day adds {format_bytes(round(bytes_per_day))}" if bytes_per_day else ""
        kind = ProblemKind.DISK_FULL if free < FULL_DISK_BYTES else ProblemKind.DISK_LOW
        yield HealthIssue(kind, "", f"{format_bytes(free)} free at {place}{adds}")


def assess_machine(machine: MachineResources) -> Iterator[HealthIssue]:
    """What is short."""
    yield from assess_disk(machine.path, machine.free_disk_bytes, machine.bytes_per_day)
    if machine.available_memory_bytes < MIN_AVAILABLE_MEMORY_BYTES:
        yield HealthIssue(ProblemKind.MEMORY_LOW, "", f"{format_bytes(machine.available_memory_bytes)} available")
