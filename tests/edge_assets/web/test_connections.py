"""Connection limits, over raw sockets."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from edge_assets.web import connections
from edge_assets.web.connections import MAX_HEADER_BYTES
from serving.server import build_config, open_listener
from tests.support.embedded_servers import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.websockets import WebSocket

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def _listen(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()


async def _deny(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("no", 403))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Starlette(
        routes=[
            Route("/", lambda _: PlainTextResponse("done"), methods=["GET", "POST"]),
            WebSocketRoute("/ws", _stream),
            WebSocketRoute("/hear", _listen),
            WebSocketRoute("/deny", _deny),
        ]
    )
    config = build_config(app, "127.0.0.1", 0)
    listener = open_listener(config)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


@contextmanager
def connect(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as sock:
        yield sock


def answer_to(port: int, *parts: bytes) -> bytes:
    """The response until the server closes."""
    with connect(port) as sock:
        for part in parts:
            sock.sendall(part)
        return _rest(sock)


def _rest(sock: socket.socket) -> bytes:
    received = b""
    while chunk := sock.recv(65_536):
        received += chunk
    return received


def request(headers: str = "", path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n".encode()


def upgrade(headers: str = "", path: str = "/ws") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}{headers}\r\n".encode()


COOKIES = "Cookie: " + "; ".join(f"program{i}=0123456789012345678901234567890123456789" for i in range(200)) + "\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        COOKIES,
        f"X-Big: {'x' * MAX_HEADER_BYTES}\r\n",
        "".join(f"X-{i}: x\r\n" for i in range(200)),
        "".join(f"X-{i}: {'x' * 4_000}\r\n" for i in range(12)),
    ],
    ids=["cookies", "one", "many", "together"],
)
@pytest.mark.parametrize("ask", [request, upgrade])
def test_too_large_headers_are_rejected(port: int, ask: Any, headers: str) -> None:
    answer = answer_to(port, ask(headers))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"clear its cookies" in answer


@pytest.mark.parametrize("ask", [request, upgrade])
def test_headers_up_to_the_limit_are_served(port: int, ask: Any) -> None:
    wide = f"X-Big: {'x' * (MAX_HEADER_BYTES - 20)}\r\n"
    status = answer_to(port, ask(wide)).split()[1]
    assert status == (b"200" if ask is request else b"101")


def test_a_long_url_is_rejected(port: int) -> None:
    assert answer_to(port, upgrade(path="/ws?" + "a" * 9_000)).startswith(b"HTTP/1.1 4")
    assert answer_to(port, request(path="/?" + "a" * 9_000)).startswith(b"HTTP/1.1 4")


def test_a_handshake_that_the_library_refuses_is_answered(port: int) -> None:
    without_key = upgrade().replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"")
    assert answer_to(port, without_key).startswith(b"HTTP/1.1 4")
    assert answer_to(port, b"GET / HTTP/1.1\r\nHost\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("asked", "frames", "answer"),
    [
        (upgrade(path="/hear"), b"\x81\x82\0\0\0\0\xff\xfe", b"\x88\x02\x03\xef"),
        (upgrade(path="/hear"), b"\x01\x81\0\0\0\0\xff\x80\x81\0\0\0\0\xfe", b"\x88\x02\x03\xef"),
        (upgrade(path="/hear"), b"\x83\x80\0\0\0\0", b"\x03\xeainvalid opcode"),
        (upgrade(path="/deny"), b"", b"no"),
    ],
    ids=["no UTF-8", "in two frames", "no opcode", "a refused handshake"],
)
def test_client_errors_are_not_logged_as_server_errors(
    port: int, asked: bytes, frames: bytes, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
    for logger in loggers:
        logger.addHandler(caplog.handler)
    try:
        with connect(port) as sock:
            sock.sendall(asked)
            assert not frames or sock.recv(12) == b"HTTP/1.1 101"  # what comes with a handshake is lost
            sock.sendall(frames)
            assert _rest(sock).endswith(answer)
    finally:
        for logger in loggers:
            logger.removeHandler(caplog.handler)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_endless_head_blocks_no_other_request(port: int) -> None:
    """16 MB: rejected after the first of them, and the rest is discarded."""
    with connect(port) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nX-Big: ")
        sender = threading.Thread(target=_send_endlessly, args=(endless, 16 << 20), daemon=True)
        sender.start()
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert answer_to(port, request()).startswith(b"HTTP/1.1 200 ")
            slowest = max(slowest, time.monotonic() - began)
        assert _rest(endless).startswith(b"HTTP/1.1 431 ")
        sender.join(20)
    assert slowest < 5  # it was a second when nothing else ran; a busy machine has its own pauses


def _send_endlessly(sock: socket.socket, size: int) -> None:
    try:
        for _ in range(size >> 16):
            sock.sendall(b"x" * 65_536)
    except OSError:
        return


def test_the_end_of_a_head_may_be_split(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 100000\r\n\r"
    assert answer_to(port, head, b"\n" + b"x" * 100_000).startswith(b"HTTP/1.1 200 ")


def test_idle_connections_are_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.1)
    assert answer_to(port) == b""
    assert answer_to(port, b"GET / HTTP/1.1\r\nHost: ").startswith(b"HTTP/1.1 408 ")
    assert answer_to(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n").startswith(b"HTTP/1.1 ")


@pytest.fixture
def allows_two(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections of an address; those of earlier tests are gone."""
    server = psutil.Process()
    eventually(
        lambda: all(c.status == psutil.CONN_LISTEN or c.laddr.port != port for c in server.net_connections("tcp"))
    )
    monkeypatch.setattr(connections, "is_loopback", lambda _: False)
    monkeypatch.setattr(connections, "MAX_REMOTE_CONNECTIONS", 2)
    monkeypatch.setattr(connections.LimitedHttpProtocol, "_warned_at", -1e9)


@pytest.mark.usefixtures("allows_two")
def test_idle_connections_make_way(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with connect(port) as silent, connect(port) as half, caplog.at_level(logging.WARNING):
        half.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        assert answer_to(port, request()).startswith(b"HTTP/1.1 200 ")
        assert silent.recv(1) == b""
        half.sendall(b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert _rest(half).startswith(b"HTTP/1.1 200 ")
    assert "more than 2 connections from 127.0.0.1" in caplog.text


@pytest.mark.usefixtures("allows_two")
def test_connections_in_use_are_limited(port: int) -> None:
    with connect(port) as hearing, connect(port) as sending:
        hearing.sendall(upgrade(path="/hear"))
        assert hearing.recv(12) == b"HTTP/1.1 101"
        sending.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.2)
        assert answer_to(port, request()).startswith(b"HTTP/1.1 503 ")


@pytest.mark.usefixtures("allows_two")
def test_websockets_leave_room_for_requests(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_REMOTE_CONNECTIONS", 4)
    with ExitStack() as opened:
        streams = [opened.enter_context(connect(port)) for _ in range(3)]
        for stream in streams:
            stream.sendall(upgrade(path="/hear"))
            assert stream.recv(12) == b"HTTP/1.1 101"
        assert answer_to(port, upgrade(path="/hear")).startswith(b"HTTP/1.1 503 ")
        assert answer_to(port, request()).startswith(b"HTTP/1.1 200 ")


def test_running_out_of_descriptors_is_reported(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "descriptor_limit", lambda: connections.RESERVED_DESCRIPTORS)
    monkeypatch.setattr(connections.LimitedHttpProtocol, "_warned_at", -1e9)
    with caplog.at_level(logging.WARNING):
        assert answer_to(port, request()).startswith(b"HTTP/1.1 503 ")
    assert "out of file descriptors" in caplog.text
