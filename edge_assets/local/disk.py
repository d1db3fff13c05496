"""Disk space held in reserve for the database's recovery.

PostgreSQL stops when it cannot write its log, and cannot start again without space for recovery. The reserve is a file
that keeps this space from everything else; the launcher deletes it before a start on a full disk.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
RESERVE_BYTES = 256 * MIB
"""Recovery replays at most `max_wal_size` of log, mostly into existing files, and starts a segment of 16 MB."""
RELEASE_BELOW_FREE_BYTES = 128 * MIB
ALLOCATE_ABOVE_FREE_BYTES = 4 * RESERVE_BYTES
"""The reserve may take at most a quarter of the free space."""
CHUNK_BYTES = 4 * MIB


def ensure_reserve(reserve: Path) -> bool:
    """Allocate the reserve if it is missing and space allows; returns whether it exists. Cheap if it does."""
    if _size(reserve) >= RESERVE_BYTES:
        return True
    if shutil.disk_usage(reserve.parent).free < ALLOCATE_ABOVE_FREE_BYTES:
        return False
    try:
        _allocate(reserve)
    except OSError:  # another program took the space first
        reserve.unlink(missing_ok=True)
        return False
    return True


def release_reserve(reserve: Path) -> bool:
    """Delete the reserve if the disk is nearly full; returns whether it was deleted."""
    if not _size(reserve) or shutil.disk_usage(reserve.parent).free >= RELEASE_BELOW_FREE_BYTES:
        return False
    reserve.unlink()
    return True


def _size(reserve: Path) -> int:
    return reserve.stat().st_size if reserve.exists() else 0


def _allocate(reserve: Path) -> None:
    """Write real blocks: a sparse file reserves nothing."""
    with reserve.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            return
        for _ in range(RESERVE_BYTES // CHUNK_BYTES):  # macOS
            file.write(bytes(CHUNK_BYTES))
