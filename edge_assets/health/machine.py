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


def assess_machine(machine: Machine) -> Iterator[Finding]:
    """What is short."""
    if machine.disk_free < max(NEEDED_DISK_BYTES, machine.bytes_per_day):
        adds = f", a day adds {amount(round(machine.bytes_per_day))}" if machine.bytes_per_day else ""
        detail = f"{amount(machine.disk_free)} free at {machine.place}{adds}"
        is_full = machine.disk_free < FULL_DISK_BYTES
        yield Finding(ProblemKind.DISK_FULL if is_full else ProblemKind.DISK_LOW, "", detail)
    if machine.memory_available < NEEDED_MEMORY_BYTES:
        yield Finding(ProblemKind.MEMORY_LOW, "", f"{amount(machine.memory_available)} available")
