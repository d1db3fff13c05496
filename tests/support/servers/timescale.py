"""Real TimescaleDB for tests: Debian's packages in a chroot, built once and kept in the user's cache.

The server needs nothing mounted: System V shared memory stands in for /dev/shm, and nobody reads /proc.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.servers.postgres import Installation, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgres import PostgresServer

RELEASE = "trixie"
PACKAGE = "postgresql-17-timescaledb"
PROGRAMS = "/usr/lib/postgresql/17/bin"
CLUSTERS = "srv"
OPTIONS = {
    "dynamic_shared_memory_type": "sysv",
    "timescaledb.telemetry_level": "off",
    # a scheduler keeps a connection to every database: none could be cloned or dropped
    "timescaledb.max_background_workers": "0",
}


def missing() -> str | None:
    """What this machine lacks to run it, if anything."""
    if os.geteuid() != 0:
        return "TimescaleDB runs in a chroot, which needs root"
    if shutil.which("mmdebstrap") is None:
        return "TimescaleDB needs mmdebstrap (apt-get install mmdebstrap)"
    return None


def running(log: Path, *, preload: str = "timescaledb") -> Iterator[PostgresServer]:
    """A running server that has loaded the libraries `preload`, stopped and removed at the end."""
    root = _chroot()
    data = Path(tempfile.mkdtemp(dir=root / CLUSTERS))
    options = OPTIONS | {"shared_preload_libraries": preload}
    before = ("chroot", "--userspec=postgres:postgres", str(root))
    subprocess.run(["chroot", str(root), "chown", "postgres:", f"/{CLUSTERS}/{data.name}"], check=True)
    try:
        yield from serving(Installation(PROGRAMS, before, options=options), f"/{CLUSTERS}/{data.name}", log)
    finally:
        shutil.rmtree(data)


def _chroot() -> Path:
    """The cached chroot; the first caller builds it, in 20 to 30 s."""
    cache = Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-finder"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / "timescaledb"
    with (cache / "timescaledb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _build(root)
    return root


def _build(root: Path) -> None:
    """Build in a sibling folder and rename it into place: a partial chroot is never used."""
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        new = Path(scratch, "root")
        command = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGE}", RELEASE, str(new)]
        subprocess.run(command, check=True)
        new.chmod(0o755)
        new.rename(root)
