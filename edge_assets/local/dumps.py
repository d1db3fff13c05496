"""What a database held before it was migrated, kept as files that `pg_restore` reads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from edge_assets.health.machine import MIN_FREE_DISK_BYTES
from edge_assets.local.disk import MIB
from edge_assets.local.errors import LocalError
from edge_assets.local.home import PRIVATE_DIRECTORY_MODE, sync_directory
from edge_assets.local.postgres import binary_dir

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge_assets.local.home import Home

MAX_DUMPS = 3
"""Dumps of a database that are kept, the newest."""


def dump_database(home: Home, url: str, revision: str, now: datetime) -> Path:
    """Write what the embedded database at `url` holds; the path of the file, which begins with database and revision.

    Raises `LocalError` where it cannot be written whole; nothing is left of it then.
    """
    name = urlsplit(url).path.removeprefix("/")
    home.dumps.mkdir(mode=PRIVATE_DIRECTORY_MODE, exist_ok=True)
    target = home.dumps / f"{name}-{revision}-{now:%Y%m%dT%H%M%S}.dump"
    scratch = target.with_suffix(".part")
    try:
        _run_pg_dump(url, scratch)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    scratch.replace(target)
    sync_directory(home.dumps)
    _delete_old_dumps(home.dumps, name)
    return target


def _run_pg_dump(url: str, target: Path) -> None:
    """The password goes by the environment: a command line can be read by everybody."""
    parts = urlsplit(url)
    connection_options = ["--host", str(parts.hostname), "--port", str(parts.port), "--username", str(parts.username)]
    command = [
        str(binary_dir() / "pg_dump"),
        "--format=custom",
        *connection_options,
        "--file",
        str(target),
        parts.path[1:],
    ]
    environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    free = shutil.disk_usage(target.parent).free
    if result.returncode or free < MIN_FREE_DISK_BYTES // 8:
        reason = result.stderr.strip() or f"only {free // MIB} MiB are left on the disk"
        msg = f"what the database holds cannot be kept before it is migrated: {reason}"
        raise LocalError(msg, f"make room at {target.parent}; nothing has been changed")


def _delete_old_dumps(directory: Path, name: str) -> None:
    pattern = re.compile(rf"{re.escape(name)}-[^-]+-\d+T\d+\.dump")
    dumps = [path for path in directory.iterdir() if pattern.fullmatch(path.name)]
    for path in sorted(dumps, key=lambda path: path.name.rsplit("-", 1)[1])[:-MAX_DUMPS]:
        path.unlink()
