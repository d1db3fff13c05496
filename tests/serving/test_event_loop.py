"""The event loop that serves the stream."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from serving.server import build_config

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None: ...


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop has no Windows build")
def test_uvicorn_runs_on_uvloop() -> None:
    factory = build_config(app, "127.0.0.1", 0).get_loop_factory()
    assert factory is not None
    with asyncio.Runner(loop_factory=factory) as runner:
        assert type(runner.get_loop()).__module__.partition(".")[0] == "uvloop"
