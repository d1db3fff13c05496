"""The recorded week, over real HTTP and through the command line."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from edge_assets.feeds.recordings.recording import Recording
from tests.support.recordings import NFL, Serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced
ODDS = f"/v4/sports/{NFL}/odds"
QUERY = {"regions": "us", "markets": "h2h,spreads,totals"}


def test_every_capture_is_served_once_in_order(nfl_week: Path, serve: Serve) -> None:
    recording = Recording.load(nfl_week)
    assert (len(recording.captures), recording.skipped) == (476, [])
    client = serve(recording)
    times: list[str] = []
    quotes = 0
    while True:
        headers = {"x-edge-consumed": times[-1]} if times else {}
        response = client.get(ODDS, params=QUERY, headers=headers)
        if response.headers["x-edge-speed"] == "0":
            break
        times.append(response.headers["x-edge-time"])
        quotes += response.content.count(b'"price"')
    assert times == [capture.at.isoformat() for capture in recording.captures]
    assert quotes == 580_188
    assert response.headers["x-edge-time"] == times[-1]


def test_the_command_serves_and_stops(nfl_week: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "edge_assets.sandbox.server",
        "--recording",
        str(nfl_week),
        "--port",
        port,
        "--speed",
        "60",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            ready = _ready(f"http://127.0.0.1:{port}/_edge/ready")
        finally:
            process.terminate()
            _, message = process.communicate(timeout=10)
    assert ready == ready | {"captures": 476, "speed": 60.0, "position": 1, "sports": [NFL]}
    assert "476 captures from 2025-11-03 01:50" in message


def _ready(url: str) -> dict[str, object]:
    for _ in range(150):
        try:
            found: dict[str, object] = httpx2.get(url).json()
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return found
    pytest.fail("the server did not come up")
