"""Starts a service when its port is opened, and stops it after a while without use.

    python -m edge_assets.local.activator HOME NAME:PORT:INNER_PORT...

MLflow alone would take half the memory of an idle stack, and is rarely opened. Only a request that the service's own
guard would accept starts it, because an image on any web page may point here. After that, bytes are passed through
unchanged, so the service itself handles cookies and WebSockets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from edge_assets.core.settings import Settings
from edge_assets.local.home import Home
from edge_assets.local.ports import ACTIVATOR_PATH, HOST
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog.mutual_watch import watch_watchdog
from edge_assets.web.descriptors import raise_descriptor_limit
from edge_assets.web.guard import (
    RequestRefusal,
    find_refusal,
    refuse_foreign_fetch,
    refuse_foreign_origin,
    refuse_other_hosts,
)

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Collection

    from edge_assets.web.guard import GuardRule

IDLE_SECONDS = 900.0
START_TIMEOUT_SECONDS = 300.0
"""How long a connection is held while the service starts: on a busy machine MLflow imports for a minute."""
CONNECT_RETRY_SECONDS = 0.2
START_RETRY_SECONDS = 5.0
CHUNK_BYTES = 65_536
MAX_HEAD_BYTES = 32_768
HEAD_TIMEOUT_SECONDS = 10.0
"""How long a client may take to send the head of its request."""
IDLE_CONNECTION_SECONDS = 600.0
"""A connection without traffic for this long is closed; Dagster's pages keep theirs alive."""
MAX_WAITING_CONNECTIONS = 128
"""Without a complete request: each further one takes the place of the oldest; idle clients shut out no other."""
MAX_OPEN_CONNECTIONS = 256
"""Of a service, with a request; the service itself closes those that have none for a few seconds."""
HEAD_END = b"\r\n\r\n"
ACTIVATOR_REQUEST_PREFIX = f"GET {ACTIVATOR_PATH} HTTP/1.".encode()
UNAVAILABLE_MESSAGE = "{name} does not start: see `edge status` and {name}.log"
TOO_MANY_CONNECTIONS = RequestRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE, f"more than {MAX_OPEN_CONNECTIONS} connections are open"
)
HEAD_TOO_LARGE = RequestRefusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request exceeds 32 KB")
MALFORMED_REQUEST = RequestRefusal(HTTPStatus.BAD_REQUEST, "not an HTTP request")

log = logging.getLogger(__name__)


class OnDemandService:
    """A service behind a port that is always open; `rules` say which requests may start it."""

    def __init__(self, supervisor: Supervisor, name: str, inner_port: int, rules: Collection[GuardRule]) -> None:
        self._supervisor = supervisor
        self._name = name
        self._inner_port = inner_port
        self._rules = rules
        self._open_connections = 0
        self._waiting: dict[StreamWriter, None] = {}
        self._last_used_at: float | None = None

    async def handle_connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Check the request of one connection, and serve it if it is allowed."""
        try:
            head = await self._await_head(reader, writer)
            if isinstance(head, RequestRefusal):
                _send_refusal(writer, *head)
            elif head.startswith(ACTIVATOR_REQUEST_PREFIX):
                _send_refusal(writer, HTTPStatus.OK, "the activator works")
            elif refusal := _check_head(self._rules, head):
                log.warning("%s is not started: %s", self._name, refusal.detail)
                _send_refusal(writer, *refusal)
            elif head and self._open_connections >= MAX_OPEN_CONNECTIONS:
                _send_refusal(writer, *TOO_MANY_CONNECTIONS)
            elif head:
                await self._serve_counted(head, reader, writer)
        except OSError:  # either side is gone or silent
            pass
        finally:
            writer.close()

    async def stop_idle(self, idle_seconds: float) -> None:
        """Stop the service whenever it has been idle for `idle_seconds`; does not return."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(idle_seconds / 10, 30.0))
            if (
                self._last_used_at is not None
                and not self._open_connections
                and loop.time() - self._last_used_at > idle_seconds
            ):
                log.info("stopping %s: idle for %.0f s", self._name, idle_seconds)
                await asyncio.to_thread(self._supervisor.request_stop, {self._name})
                self._last_used_at = None

    async def _await_head(self, reader: StreamReader, writer: StreamWriter) -> bytes | RequestRefusal:
        """The head of the request; the oldest of too many connections that wait for one is closed."""
        self._waiting[writer] = None
        if len(self._waiting) > MAX_WAITING_CONNECTIONS:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()
        try:
            return await _read_head(reader)
        finally:
            self._waiting.pop(writer, None)

    async def _serve_counted(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve a connection, and count the service as in use meanwhile."""
        self._open_connections += 1
        try:
            await self._proxy(head, reader, writer)
        finally:
            self._open_connections -= 1
            self._last_used_at = asyncio.get_running_loop().time()

    async def _proxy(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        """Hold a connection until the service answers, then pass bytes both ways."""
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                inner_reader, inner_writer = await self._connect()
        except TimeoutError:
            _send_refusal(writer, HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE_MESSAGE.format(name=self._name))
            return
        inner_writer.write(head)
        try:
            async with asyncio.timeout(IDLE_CONNECTION_SECONDS) as idle_timeout:
                await asyncio.gather(
                    _pipe(reader, inner_writer, idle_timeout), _pipe(inner_reader, writer, idle_timeout)
                )
        finally:
            inner_writer.close()

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        """Connect to the service; start it if it is not listening."""
        loop = asyncio.get_running_loop()
        start_at = loop.time()
        while True:
            with suppress(OSError):
                return await asyncio.open_connection(HOST, self._inner_port)
            if loop.time() >= start_at:
                start_at = loop.time() + START_RETRY_SECONDS
                await asyncio.to_thread(self._supervisor.start, self._name)
            await asyncio.sleep(CONNECT_RETRY_SECONDS)


async def _read_head(reader: StreamReader) -> bytes | RequestRefusal:
    """The head of a request; empty if the client sends nothing, like a probe of the port."""
    try:
        async with asyncio.timeout(HEAD_TIMEOUT_SECONDS):
            return await reader.readuntil(HEAD_END)
    except asyncio.LimitOverrunError:
        return HEAD_TOO_LARGE
    except (asyncio.IncompleteReadError, TimeoutError):
        return b""


def _check_head(rules: Collection[GuardRule], head: bytes) -> RequestRefusal | None:
    """Why a request may not start the service, judged by its head; WebSocket requests have the same form."""
    if not head:
        return None
    line, *fields = head.removesuffix(HEAD_END).split(b"\r\n")
    method, _, rest = line.partition(b" ")
    headers = [field.partition(b":") for field in fields]
    if b" HTTP/1." not in rest or not all(name.strip() == name and name and colon for name, colon, _ in headers):
        return MALFORMED_REQUEST
    parsed_headers = Headers(raw=[(name.lower(), value.strip()) for name, _, value in headers])
    return find_refusal(rules, {"type": "http", "scheme": "http", "method": method.decode("latin-1")}, parsed_headers)


def _send_refusal(writer: StreamWriter, status: HTTPStatus, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)


async def _pipe(reader: StreamReader, writer: StreamWriter, idle_timeout: asyncio.Timeout) -> None:
    """Copy one direction until it ends; the other may go on. Each chunk postpones `idle_timeout`."""
    loop = asyncio.get_running_loop()
    while chunk := await reader.read(CHUNK_BYTES):
        idle_timeout.reschedule(loop.time() + IDLE_CONNECTION_SECONDS)
        writer.write(chunk)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def serve(
    supervisor: Supervisor,
    routes: list[tuple[str, int, int]],
    hosts: Collection[str],
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Listen on the port of each route (name, port, inner port) for requests to one of `hosts`; does not return."""
    rules = (refuse_other_hosts(hosts), refuse_foreign_origin, refuse_foreign_fetch)
    services = [(OnDemandService(supervisor, name, inner, rules), port) for name, port, inner in routes]
    for service, port in services:
        await asyncio.start_server(service.handle_connection, HOST, port, limit=MAX_HEAD_BYTES)
    await asyncio.gather(*(service.stop_idle(idle_seconds) for service, _ in services))


def main() -> None:
    """Serve the routes of the command line, and watch the watchdog."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    root, *routes = sys.argv[1:]
    parts = [route.split(":") for route in routes]
    home = Home(Path(root))
    supervisor = Supervisor(home)
    hosts = Settings().edge_allowed_hosts
    raise_descriptor_limit()

    async def run() -> None:
        parsed_routes = [(name, int(port), int(inner)) for name, port, inner in parts]
        await asyncio.gather(serve(supervisor, parsed_routes, hosts), watch_watchdog(home, supervisor))

    asyncio.run(run())


if __name__ == "__main__":
    main()
