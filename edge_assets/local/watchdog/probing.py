"""Probes of the services from outside. Each takes seconds at most, and none raises."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from edge_assets.local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

PROBE_TIMEOUT_SECONDS = 3.0
PROBE_KEY = "edge:probe"
PROBE_KEY_TTL_MS = 1000
LOG_TAIL_BYTES = 4096
SERVICE_STATUSES = {http.client.OK, http.client.SERVICE_UNAVAILABLE}
"""Any other status comes from a guard or another program, and is not evidence of the service."""
PING_REQUEST = b"PING\r\n"
"""For Redis; without a password it replies with an error, which suffices."""
SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)
"""For PostgreSQL, which answers it with one byte before authentication, even in recovery."""
PAGE_REQUEST = f"GET /health HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
"""For a web server; that it does not know the path is an answer too."""
GRPC_REQUEST = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""HTTP/2's opening with empty settings, which a server answers with its own (RFC 9113, section 3.4)."""
UNREACHABLE, REFUSES_WRITES = "unreachable", "refuses writes"


def get_json(port: int, path: str) -> dict[str, Any] | None:
    """A server's report of its state, good or bad; None if there is no answer, a refusal or no JSON object."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and response.status in SERVICE_STATUSES else None


def has_reply(address: int | Path, request: bytes) -> bool:
    """Whether the server at a port or a unix socket replies to a request in its own protocol."""
    try:
        with _connect(address) as connection:
            connection.sendall(request)
            return bool(connection.recv(1))
    except OSError:
        return False


def _connect(address: int | Path) -> socket.socket:
    if isinstance(address, int):
        return socket.create_connection((HOST, address), timeout=PROBE_TIMEOUT_SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PROBE_TIMEOUT_SECONDS)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def redis_fault(url: str) -> tuple[str, str] | None:
    """What is wrong with a Redis server: `UNREACHABLE` or `REFUSES_WRITES`, and the error. None if a write succeeds.

    Also None for other URL schemes, which are not checked. Speaks the protocol itself: the client library would use
    more memory than the whole watchdog.
    """
    parts = urlsplit(url)
    if parts.scheme != "redis" or not parts.hostname:
        return None
    commands: list[tuple[str, ...]] = []
    if parts.password:
        user = (unquote(parts.username),) if parts.username else ()
        commands.append(("AUTH", *user, unquote(parts.password)))
    commands.append(("SELECT", parts.path.removeprefix("/") or "0"))
    commands.append(("SET", PROBE_KEY, "1", "PX", str(PROBE_KEY_TTL_MS)))
    try:
        with socket.create_connection(
            (parts.hostname, parts.port or 6379), timeout=PROBE_TIMEOUT_SECONDS
        ) as connection:
            return _first_error(connection, commands)
    except OSError as error:
        return UNREACHABLE, str(error) or type(error).__name__


def _first_error(connection: socket.socket, commands: list[tuple[str, ...]]) -> tuple[str, str] | None:
    with connection.makefile("rb") as replies:
        for command in commands:
            arguments = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in (w.encode() for w in command))
            connection.sendall(b"*%d\r\n%b" % (len(command), arguments))
            reply = replies.readline().decode(errors="replace").strip()
            if not reply:
                return UNREACHABLE, "the connection was closed"
            if reply.startswith("-"):
                return (REFUSES_WRITES if command[0] == "SET" else UNREACHABLE), reply[1:]
    return None


def last_log_line(log: Path) -> str:
    """The last line of a service's log; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
