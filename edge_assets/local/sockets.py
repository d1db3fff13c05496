"""Unix sockets of a stack: in the home, or below /tmp if the home's path is too long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.local.errors import LocalError
from edge_assets.local.home import PRIVATE_DIRECTORY_MODE

if TYPE_CHECKING:
    from edge_assets.local.home import Home

MAX_DIRECTORY_BYTES = 70
"""Socket paths are limited to 103-107 bytes; the longest name is `code-analytics.sock`, and supervisord first binds a
name that has its pid appended."""


def socket_path(home: Home, name: str) -> Path:
    """The socket of the server `name`."""
    return _socket_directory(home) / f"{name}.sock"


def make_directory(home: Home) -> None:
    """Create the directory, private to this user: below /tmp another user may have created it first.

    Raises `LocalError` if other users can access it.
    """
    directory = _socket_directory(home)
    directory.mkdir(mode=PRIVATE_DIRECTORY_MODE, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 & ~stat.S_IXOTH:
        msg = f"{directory} is accessible to other users"
        raise LocalError(msg, "remove it, or use an EDGE_HOME with a shorter path")


def remove_directory(home: Home) -> None:
    """Remove sockets and directory below /tmp."""
    directory = _socket_directory(home)
    if directory != home.run:
        for socket_file in directory.glob("*.sock"):
            socket_file.unlink(missing_ok=True)
        with suppress(OSError):
            directory.rmdir()


def _socket_directory(home: Home) -> Path:
    path = os.fsencode(home.run)
    if len(path) <= MAX_DIRECTORY_BYTES:
        return home.run
    return Path(tempfile.gettempdir()) / f"edge-{os.getuid()}-{hashlib.sha256(path).hexdigest()[:16]}"
