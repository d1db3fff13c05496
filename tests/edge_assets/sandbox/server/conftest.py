"""A small hand-written recording, served over real HTTP."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn

from edge_assets.feeds.recordings.recording import Recording
from edge_assets.sandbox.server.app import create_app
from tests.support.recordings import Serve, epl_body, nfl_body, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI


def record(folder: Path) -> Path:
    """Two sports interleaved: NFL at 12:00, EPL at 12:05, NFL at 12:20, EPL at 12:25."""
    write(folder, "nfl_20251103T120000Z.json", nfl_body(-170))
    write(folder, "epl_20251103T120500Z.json", epl_body(2.1))
    write(folder, "nfl_20251103T122000Z.json", nfl_body(-180))
    write(folder, "epl_20251103T122500Z.json", epl_body(2.2))
    return folder


@pytest.fixture
def recording_folder(tmp_path: Path) -> Path:
    """The files of the small recording; tests may modify them."""
    return record(tmp_path / "recording")


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return Recording.load(record(tmp_path_factory.mktemp("recording")))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with separate state."""
    with _servers() as start:
        yield start


@pytest.fixture(scope="session")
def _shared_server() -> Iterator[Serve]:
    with _servers() as start:
        yield start


@pytest.fixture(scope="session")
def client(_shared_server: Serve, recording: Recording) -> httpx2.Client:
    """A shared stepping server at its first capture; tests that acknowledge captures start their own."""
    return _shared_server(recording)


@pytest.fixture(scope="session")
def client_at_the_end(_shared_server: Serve, recording: Recording) -> httpx2.Client:
    """A server at the end of its recording."""
    client = _shared_server(recording, speed=1e9)
    client.get("/v4/sports/soccer_epl/odds", params={"regions": "uk"})
    return client


@pytest.fixture(scope="session")
def nfl_week() -> Path:
    """The recorded week, which is required in CI."""
    root = Path(os.environ.get("EDGE_DATA_DIR", Path(__file__).parents[5] / "shared" / "data"))
    path = root / "odds_api" / "nfl_week_2025-11.tar.xz"
    if not path.exists():
        reason = f"{path} is missing: set EDGE_DATA_DIR to the recorded data"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


@contextmanager
def _servers() -> Iterator[Callable[..., httpx2.Client]]:
    running: list[tuple[uvicorn.Server, threading.Thread, httpx2.Client]] = []

    def start(recording: Any, **options: Any) -> httpx2.Client:
        app: FastAPI = create_app(recording, **options)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = httpx2.Client(base_url=base, params={"apiKey": "secret"}, timeout=10)
        running.append((server, thread, client))
        return client

    try:
        yield start
    finally:
        for server, thread, client in running:
            client.close()
            server.should_exit = True
            thread.join(5)
