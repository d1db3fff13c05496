"""Fan-out: one 700-byte alert a second to N clients on loopback, from send to receipt.

The hub under uvicorn against `websockets.broadcast()` in the same run; trust the ratio, the machine is shared.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
import uvicorn
import websockets
from fastapi import FastAPI, WebSocket
from websockets.asyncio.server import serve

from serving.realtime.client import Client
from serving.realtime.hub import Hub
from serving.server import build_config
from tests.benchmarks.report import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

ALERTS = 8
ALERT_BYTES = 700
REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MARK = b'"sent":'


def alert() -> str:
    """An alert that carries its send time (CLOCK_MONOTONIC is one clock for all processes)."""
    head = f'{{"sent":{time.perf_counter_ns():020d},"pad":"'
    return head + "x" * (ALERT_BYTES - len(head) - 2) + '"}'


def hub_server(listener: socket.socket) -> None:
    """Our hub, under our server configuration."""
    hub = Hub()
    app = FastAPI()

    @app.websocket("/ws")
    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        async with asyncio.timeout(None) as deadline:
            with hub.join(Client(websocket.send_text, 0, deadline)):
                while (await websocket.receive())["type"] != "websocket.disconnect":
                    pass

    async def run() -> None:
        server = uvicorn.Server(build_config(app, "127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        for number in range(1, 1_000_000):
            await asyncio.sleep(1)
            hub.broadcast(number, alert())
        await serving

    asyncio.run(run())


def peer_server(listener: socket.socket) -> None:
    """`websockets.broadcast()`."""

    async def run() -> None:
        async with serve(lambda ws: ws.wait_closed(), sock=listener, compression=None) as server:
            while True:
                await asyncio.sleep(1)
                websockets.broadcast(server.connections, alert())

    asyncio.run(run())


class Receiver(asyncio.Protocol):
    """The least client: notes when each frame has arrived."""

    def __init__(self, delays: list[float]) -> None:
        self.delays = delays
        self.open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(REQUEST)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter_ns()
        if not self.open.done():
            self.open.set_result(None)
        at = data.find(MARK)
        if at >= 0:
            self.delays.append((now - int(data[at + len(MARK) : at + len(MARK) + 20])) / 1e6)


async def receive(port: int, clients: int) -> NDArray[np.float64]:
    """Delays in milliseconds of `ALERTS` alerts to `clients` connections."""
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(clients):
        transport, protocol = await loop.create_connection(lambda: Receiver(delays), "127.0.0.1", port)
        await protocol.open
        transports.append(transport)
    await asyncio.sleep(1.2)
    delays.clear()
    while len(delays) < ALERTS * clients:  # noqa: ASYNC110 - an event per frame would be measured too
        await asyncio.sleep(0.2)
    for transport in transports:
        transport.abort()
    return np.array(delays[: ALERTS * clients])


@contextmanager
def running(server: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server in a process of its own; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        process = multiprocessing.get_context("fork").Process(target=server, args=(listener,), daemon=True)
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.kill()
            process.join()


def measure(server: Callable[[socket.socket], None], clients: int) -> tuple[float, float]:
    """The 50th and 99th percentile in milliseconds."""
    with running(server) as port:
        p50, p99 = np.percentile(asyncio.run(receive(port, clients)), [50, 99])
    return float(p50), float(p99)


@pytest.mark.parametrize("clients", [500, 1000])
def test_fan_out(clients: int) -> None:
    hub50, hub99 = measure(hub_server, clients)
    peer50, peer99 = measure(peer_server, clients)
    REPORT.figure("send to receipt, p50", hub50, "ms", hub50 / peer50, "websockets.broadcast()")
    REPORT.figure("send to receipt, p99", hub99, "ms", hub99 / peer99, "websockets.broadcast()")
    assert hub99 < 10 * peer99
