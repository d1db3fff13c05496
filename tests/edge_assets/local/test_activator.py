"""A page that starts when it is opened, under the real supervisord."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import urllib.request
from typing import TYPE_CHECKING
from unittest.mock import Mock

import httpx2
import pytest
from starlette.datastructures import Headers

from edge_assets.local import activator, probes
from edge_assets.local.ports import ACTIVATOR_PATH, HOST, allocate_port
from edge_assets.local.programs import Program
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog import probing
from edge_assets.web.guard import refuse_foreign_fetch, refuse_other_hosts
from tests.support.embedded_servers import eventually

if TYPE_CHECKING:
    from edge_assets.local.home import Home

FOREIGN = [
    {"Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
]
SOON_IDLE = """
import asyncio, sys
from pathlib import Path
from edge_assets.local.activator import serve
from edge_assets.local.home import Home
from edge_assets.local.supervisor import Supervisor
home, port, inner = sys.argv[1:]
hosts = ("127.0.0.1",)
asyncio.run(serve(Supervisor(Home(Path(home))), [("page", int(port), int(inner))], hosts, idle_seconds=1.0))
"""


def test_a_page_starts_when_opened_and_stops_when_idle(home: Home) -> None:
    port, inner = allocate_port(home, "page"), allocate_port(home, "page inner")
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    server = (sys.executable, "-m", "http.server", "--bind", HOST, "--directory", str(home.run), str(inner))
    supervisor.add(Program("page", server, on_demand=True))
    script = home.run / "soon_idle.py"
    script.write_text(SOON_IDLE)
    supervisor.add(Program("activator", (sys.executable, str(script), str(home.root), str(port), str(inner))))

    def state() -> str:
        return next(info.state for info in supervisor.programs() if info.name == "page")

    eventually(lambda: probes.is_listening(port), 120)
    assert state() == "STOPPED"  # a probe of the port sends no request
    for headers in FOREIGN:
        assert httpx2.get(f"http://{HOST}:{port}/", headers=headers, timeout=20).status_code == 403
    assert state() == "STOPPED"
    assert probing.get_json(port, ACTIVATOR_PATH) is not None
    assert state() == "STOPPED"
    silent = socket.create_connection((HOST, port))  # does not count as use
    for _ in range(2):
        with urllib.request.urlopen(f"http://{HOST}:{port}/supervisord.conf", timeout=120) as page:
            assert b"[supervisord]" in page.read()
        assert state() in {"STARTING", "RUNNING"}
        eventually(lambda: state() == "STOPPED", 60)
    silent.close()


async def send(*parts: bytes) -> bytes:
    """The reply of a service to these bytes; it must not be started."""
    service = activator.OnDemandService(
        Mock(spec_set=()), "page", 1, (refuse_other_hosts(["localhost"]), refuse_foreign_fetch)
    )
    server = await asyncio.start_server(service.handle_connection, HOST, 0, limit=activator.MAX_HEAD_BYTES)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.writelines(parts)
        answer = await reader.read()
        writer.close()
    return answer


async def test_a_malformed_request_is_answered_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await send(b"hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert (await send(b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert (await send(b"GET / HTTP/1.1\r\nCookie: ", b"x" * 40_000)).startswith(b"HTTP/1.1 431 ")
    monkeypatch.setattr(activator, "HEAD_TIMEOUT_SECONDS", 0.1)
    assert await send(b"GET / HTTP/1.1\r\n") == b""


def test_a_link_on_another_page_may_lead_here() -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    for changed, is_refused in [({}, False), ({"sec-fetch-dest": "iframe"}, True), ({"sec-fetch-mode": "cors"}, True)]:
        scope = {"type": "http", "method": "GET"}
        assert (refuse_foreign_fetch(scope, Headers(link | changed)) is not None) is is_refused
    assert refuse_foreign_fetch({"type": "http", "method": "POST"}, Headers(link)) is not None


async def test_idle_connections_shut_out_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activator, "MAX_WAITING_CONNECTIONS", 3)
    service = activator.OnDemandService(Mock(spec_set=()), "page", 1, ())
    server = await asyncio.start_server(service.handle_connection, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(20):
        idle = [await asyncio.open_connection(HOST, port) for _ in range(4)]
        assert await idle[0][0].read() == b""
        idle[1][1].write(activator.ACTIVATOR_REQUEST_PREFIX + b"1\r\n\r\n")
        assert (await idle[1][0].read()).startswith(b"HTTP/1.1 200 ")
        for _, writer in idle:
            writer.close()
