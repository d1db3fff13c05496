"""Run a sandbox server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections (httpx2: 5 s), so that none is closed during a request."""


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; requests are not logged, because their URLs contain keys."""
    print(f"ODDS_API_URL=http://{host}:{port}/v4 ODDS_API_KEY=any", file=sys.stderr, flush=True)  # noqa: T201
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )
