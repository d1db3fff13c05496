"""Where a stack's unix sockets lie: in the home, or below /tmp where the home's path is too long for them."""

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
"""Unix sockets allow 103-107 bytes, the longest name here is `code-analytics.sock`, and supervisord first binds a name
that is longer by its pid."""


def socket_path(home: Home, name: str) -> Path:
    """The socket of a server."""
    return _socket_directory(home) / f"{name}.sock"


def make_directory(home: Home) -> None:
    """Make a directory that is ours alone: below /tmp another user may have been there before us.

    Raises `LocalError` if it is open to others.
    """
    directory = _socket_directory(home)
    directory.mkdir(mode=PRIVATE_DIRECTORY_MODE, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 & ~stat.S_IXOTH:
        msg = f"{directory} is open to other users"
        raise LocalError(msg, "remove it, or use an EDGE_HOME with a shorter path")


def remove_directory(home: Home) -> None:
    """Leave nothing below /tmp."""
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
