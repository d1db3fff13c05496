"""Starts a service when somebody opens its port, and ends it when nobody has for a while.

    python -m edge_assets.local.activator HOME NAME:PORT:INNER_PORT...

MLflow alone takes half of what an idle stack would, and is opened once a week. Bytes are passed on as they come, so
that hosts, cookies and web sockets are what the service itself makes of them.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.local.home import Home
from edge_assets.local.ports import HOST
from edge_assets.local.supervisor import Supervisor

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

IDLE_SECONDS = 900.0
START_SECONDS = 300.0
"""So long a connection is held while the service starts: MLflow imports for a minute on busy cores."""
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_BETWEEN_STARTS = 5.0
CHUNK_BYTES = 65_536
UNAVAILABLE = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    "{name} does not start: `edge status` shows its state, {name}.log in the logs says why.\n"
)

log = logging.getLogger(__name__)


class OnDemand:
    """A service behind a port that is always open."""

    def __init__(self, supervisor: Supervisor, name: str, inner_port: int) -> None:
        self._supervisor = supervisor
        self._name = name
        self._inner_port = inner_port
        self._open = 0
        self._used_at: float | None = None

    async def connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Hold one connection until the service answers, then pass on what both sides say."""
        self._open += 1
        try:
            await self._serve(reader, writer)
        except OSError:  # either side is gone
            pass
        finally:
            self._open -= 1
            self._used_at = asyncio.get_running_loop().time()
            writer.close()

    async def stop_idle(self, idle_seconds: float) -> None:
        """End the service each time it has been out of use for so long; does not return."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(idle_seconds / 10, 30.0))
            if self._used_at is not None and not self._open and loop.time() - self._used_at > idle_seconds:
                log.info("%s is stopped: out of use for %.0f s", self._name, idle_seconds)
                await asyncio.to_thread(self._supervisor.request_stop, {self._name})
                self._used_at = None

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Who connects and says nothing, like a probe of the port, has asked for nothing."""
        if not (first := await reader.read(CHUNK_BYTES)):
            return
        try:
            async with asyncio.timeout(START_SECONDS):
                inner_reader, inner_writer = await self._reach()
        except TimeoutError:
            writer.write(UNAVAILABLE.format(name=self._name).encode())
            return
        inner_writer.write(first)
        try:
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        finally:
            inner_writer.close()

    async def _reach(self) -> tuple[StreamReader, StreamWriter]:
        """Connect to the service, which is started where it does not listen."""
        loop = asyncio.get_running_loop()
        start_at = loop.time()
        while True:
            with suppress(OSError):
                return await asyncio.open_connection(HOST, self._inner_port)
            if loop.time() >= start_at:
                start_at = loop.time() + SECONDS_BETWEEN_STARTS
                await asyncio.to_thread(self._supervisor.start, self._name)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    """Until one side has said all; the other may still answer."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def serve(supervisor: Supervisor, doors: list[tuple[str, int, int]], idle_seconds: float = IDLE_SECONDS) -> None:
    """Listen on each door's port, (name, port, inner port); does not return."""
    services = [(OnDemand(supervisor, name, inner), port) for name, port, inner in doors]
    for service, port in services:
        await asyncio.start_server(service.connected, HOST, port)
    await asyncio.gather(*(service.stop_idle(idle_seconds) for service, _ in services))


def main() -> None:
    """Serve what the command line says."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home, *doors = sys.argv[1:]
    parts = [door.split(":") for door in doors]
    asyncio.run(serve(Supervisor(Home(Path(home))), [(name, int(port), int(inner)) for name, port, inner in parts]))


if __name__ == "__main__":
    main()
