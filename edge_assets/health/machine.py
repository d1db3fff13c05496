"""What the machine has left: disk and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.health.findings import Finding
from edge_assets.health.words import amount
from edge_assets.store.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 2**30
NEEDED_DISK_BYTES = 2 * GIB
FULL_DISK_BYTES = GIB // 8
"""What is left is gone within seconds, and a database that ends can hardly recover in it."""
NEEDED_MEMORY_BYTES = GIB // 4
"""While everything runs; before it starts more is wanted (`edge doctor`)."""


class Machine(NamedTuple):
    """Bytes free on the disk of `place`, of memory that programs can have without swapping, and what a day adds."""

    place: str
    disk_free: int
    memory_available: int
    bytes_per_day: float = 0.0


def assess_disk(place: str, free: int, bytes_per_day: float = 0.0) -> Iterator[Finding]:
    """Whether its `free` bytes are few, or as good as none."""
    if free < max(NEEDED_DISK_BYTES, bytes_per_day):
        adds = f", a day adds {amount(round(bytes_per_day))}" if bytes_per_day else ""
        kind = ProblemKind.DISK_FULL if free < FULL_DISK_BYTES else ProblemKind.DISK_LOW
        yield Finding(kind, "", f"{amount(free)} free at {place}{adds}")


def assess_machine(machine: Machine) -> Iterator[Finding]:
    """What is short."""
    yield from assess_disk(machine.place, machine.disk_free, machine.bytes_per_day)
    if machine.memory_available < NEEDED_MEMORY_BYTES:
        yield Finding(ProblemKind.MEMORY_LOW, "", f"{amount(machine.memory_available)} available")
