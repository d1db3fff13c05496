"""Dumps of the database before a migration, for `pg_restore`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from edge_assets.core.clock import WallClock
from edge_assets.health.machine import MIN_FREE_DISK_BYTES
from edge_assets.local.disk import MIB
from edge_assets.local.errors import LocalError
from edge_assets.local.home import PRIVATE_DIRECTORY_MODE, sync_directory
from edge_assets.local.postgres import binary_dir
from edge_assets.store.postgres.schema import find_outdated_revision

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge_assets.local.home import Home

MAX_DUMPS = 3
"""Dumps kept per database; older ones are deleted."""


def dump_database(home: Home, url: str, revision: str, now: datetime) -> Path:
    """Dump the embedded database at `url`; returns the file, named by database, revision and time.

    Raises `LocalError` if the dump is incomplete, and leaves no file.
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


def dump_before_migration(home: Home, url: str) -> None:
    """Dump the embedded database at `url` if a migration would change its schema."""
    if revision := find_outdated_revision(url):
        dump_database(home, url, revision, WallClock().now())


def _run_pg_dump(url: str, target: Path) -> None:
    """The password is passed in the environment: any user can read a command line."""
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
        reason = result.stderr.strip() or f"only {free // MIB} MiB left on the disk"
        msg = f"cannot dump the database before migrating it: {reason}"
        raise LocalError(msg, f"free some space at {target.parent}; nothing was changed")


def _delete_old_dumps(directory: Path, name: str) -> None:
    pattern = re.compile(rf"{re.escape(name)}-[^-]+-\d+T\d+\.dump")
    dumps = [path for path in directory.iterdir() if pattern.fullmatch(path.name)]
    for path in sorted(dumps, key=lambda path: path.name.rsplit("-", 1)[1])[:-MAX_DUMPS]:
        path.unlink()
