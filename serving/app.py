"""The serving application: REST, the live stream, the board."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.middleware.gzip import GZipMiddleware

from edge_assets.core.texts import MAX_TEXT_LENGTH
from edge_assets.web.guard import SECURITY_HEADERS, Guard
from serving import auth, board
from serving.api import alerts, health, middles, odds, status
from serving.api.parameters import reject_unknown_parameters
from serving.api.sports import NameNotFoundError
from serving.data_docs import DataDocsFiles
from serving.http_semantics import HttpSemanticsMiddleware
from serving.realtime import endpoint
from serving.realtime.reader import StreamReader
from serving.resources import Resources
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_assets.core.settings import Settings

GZIP_MIN_BYTES = 1_024
GZIP_LEVEL = 4
"""Of 9: much faster than the maximum, for slightly larger responses."""
GZIP_THREAD_MIN_BYTES = 32_768
"""Larger responses are compressed in a thread: the event loop has alerts to send."""
API_HEADERS = SECURITY_HEADERS | {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""Headers of every response; pages set a policy of their own."""

DESCRIPTION = """
Odds of many sportsbooks, fair prices, and current mispricings.

* `GET /api/odds/{sport}`: prices by book, with ages and fair probabilities.
* `GET /api/value-bets`, `GET /api/arbitrage`: open alerts.
* `WS /ws/alerts`: the live stream, resumable from any id. Send `{"token": "...", "after": last_id}` first.

Prices are decimal odds; probabilities, edges and returns are fractions; times are UTC.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application; connections are opened when it starts.

    Raises `MissingSettingError` if DATABASE_URL, REDIS_URL or JWT_SECRET is missing.
    """
    resources = Resources.from_settings(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with _run_resources(resources):
            yield

    app = FastAPI(
        title="Edge Finder",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(reject_unknown_parameters)],
    )
    app.state.resources = resources
    for module in (odds, middles, alerts, health, status, endpoint):
        app.include_router(module.router)
    if settings.edge_local:
        app.include_router(auth.router)
        settings.data_docs_dir.mkdir(parents=True, exist_ok=True)
        app.mount("/data-docs", DataDocsFiles(directory=settings.data_docs_dir, html=True))
    board.mount(app)
    app.add_exception_handler(NameNotFoundError, _handle_unknown_name)
    app.add_exception_handler(psycopg.DataError, _handle_data_error)
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _handle_database_unavailable)
    _add_middleware(app, settings)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add the middleware of all routes; the guard is outermost."""
    app.add_middleware(HttpSemanticsMiddleware, routes=app.routes)
    app.add_middleware(
        GZipMiddleware,
        minimum_size=GZIP_MIN_BYTES,
        compresslevel=GZIP_LEVEL,
        thread_minimum_size=GZIP_THREAD_MIN_BYTES,
    )
    app.add_middleware(Guard, hosts=settings.edge_allowed_hosts, headers=API_HEADERS)


@asynccontextmanager
async def _run_resources(resources: Resources) -> AsyncIterator[None]:
    """Open the pool without waiting for the database, and keep the stream running meanwhile."""
    resources.pool.open(wait=False)
    reader = StreamReader(resources.hub, resources.stream, resources.alerts)
    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(resources.hub.send_heartbeats())]
    gc.freeze()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await resources.stream.aclose()
        await resources.cache.aclose()
        resources.pool.close()


async def _handle_unknown_name(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NameNotFoundError)  # noqa: S101 - registered for nothing else
    name = error.name if len(error.name) <= MAX_TEXT_LENGTH else f"{error.name[:MAX_TEXT_LENGTH]}…"
    return JSONResponse({"detail": f"unknown {error.kind} {name!a}", "known": error.known}, 404)


async def _handle_data_error(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "invalid parameter value"}, 400)


async def _handle_database_unavailable(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "database unavailable; try again"}, 503)
