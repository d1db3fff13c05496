"""A reserve of room on the disk, out of which the database can recover.

A PostgreSQL that cannot write its log ends, and cannot begin again without room for the recovery: where nobody tidies
up, the disk stays full. The reserve is room that nothing else can take; the launcher gives it back before each start
for which there would be none.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
RESERVE_BYTES = 256 * MIB
"""A recovery replays at most `max_wal_size` of log into files that are mostly there, and begins a segment of 16 MB."""
RELEASE_BELOW_FREE_BYTES = 128 * MIB
ALLOCATE_ABOVE_FREE_BYTES = 4 * RESERVE_BYTES
"""The reserve is made where it takes no more than a quarter of what is left."""
CHUNK_BYTES = 4 * MIB


def ensure_reserve(reserve: Path) -> bool:
    """Make the reserve where it is missing and there is room; whether it is there. Cheap where it is."""
    if _size(reserve) >= RESERVE_BYTES:
        return True
    if shutil.disk_usage(reserve.parent).free < ALLOCATE_ABOVE_FREE_BYTES:
        return False
    try:
        _allocate(reserve)
    except OSError:  # somebody was quicker to take the room
        reserve.unlink(missing_ok=True)
        return False
    return True


def release_reserve(reserve: Path) -> bool:
    """Give the reserve back if the disk is as good as full; whether it was given back."""
    if not _size(reserve) or shutil.disk_usage(reserve.parent).free >= RELEASE_BELOW_FREE_BYTES:
        return False
    reserve.unlink()
    return True


def _size(reserve: Path) -> int:
    return reserve.stat().st_size if reserve.exists() else 0


def _allocate(reserve: Path) -> None:
    """Real blocks: a file with a hole reserves nothing."""
    with reserve.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            return
        for _ in range(RESERVE_BYTES // CHUNK_BYTES):  # macOS
            file.write(bytes(CHUNK_BYTES))
