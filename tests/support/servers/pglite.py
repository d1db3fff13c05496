"""TimescaleDB's community edition for tests: PGlite, PostgreSQL compiled to WebAssembly, in a process of its own.

One session, which clients take in turns: the next is answered when the last has gone. Nothing runs in the background,
so policies are registered but a test must run their jobs itself. Timings are those of WebAssembly in one thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.support.servers import npm
from tests.support.servers.processes import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).with_suffix(".mjs")


class PgliteServer:
    """A server whose one database contains only the extension."""

    def __init__(self, log: Path) -> None:
        port = free_port()
        self.url = f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        self.process = ServerProcess(["node", str(SCRIPT), str(npm.modules()), str(port)], self._answers, log)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True


def running(log: Path) -> Iterator[PgliteServer]:
    """A running server, stopped at the end."""
    server = PgliteServer(log)
    try:
        server.process.start()
        yield server
    finally:
        server.process.stop()
