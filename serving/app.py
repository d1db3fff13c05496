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

from edge_assets.texts import MAX_TEXT_LENGTH
from edge_assets.web.guard import SAFE_HEADERS, Guard
from serving import auth, board
from serving.api import alerts, health, middles, odds, status
from serving.api.parameters import known_parameters
from serving.api.sports import UnknownNameError
from serving.data_docs import DataDocs
from serving.deps import Resources
from serving.manners import Manners
from serving.realtime import endpoint
from serving.realtime.reader import StreamReader
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_assets.settings import Settings

GZIP_FROM_BYTES = 1_024
GZIP_LEVEL = 4
"""Of 9: an answer of a megabyte takes 10 ms instead of 40, and is a tenth larger."""
GZIP_BESIDE_FROM_BYTES = 32_768
"""Larger answers are compressed beside the event loop, which has alerts to send."""
HEADERS = SAFE_HEADERS | {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""What every answer says; pages say more exactly what they need."""

DESCRIPTION = """
Odds of many sportsbooks, what each outcome is really worth, and the prices that are wrong right now.

* `GET /api/odds/{sport}`: prices by book, with ages and fair probabilities.
* `GET /api/value-bets`, `GET /api/arbitrage`: the alerts that are open.
* `WS /ws/alerts`: the live stream, resumable from any id. Send `{"token": "...", "after": last_id}` first.

Prices are decimal odds; probabilities, edges and returns are fractions; times are UTC.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application; connections are opened when it starts.

    Raises `MissingSettingError` if DATABASE_URL, REDIS_URL or JWT_SECRET is missing.
    """
    resources = Resources.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with _running(resources):
            yield

    app = FastAPI(
        title="Edge Finder",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_parameters)],
    )
    app.state.resources = resources
    for module in (odds, middles, alerts, health, status, endpoint):
        app.include_router(module.router)
    if settings.edge_local:
        app.include_router(auth.router)
        settings.data_docs.mkdir(parents=True, exist_ok=True)
        app.mount("/data-docs", DataDocs(directory=settings.data_docs, html=True))
    board.mount(app)
    app.add_exception_handler(UnknownNameError, _unknown_name)
    app.add_exception_handler(psycopg.DataError, _unusable)
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _database_away)
    _guard(app, settings)
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """Put before the routes what holds for all of them, the guard first."""
    app.add_middleware(Manners, routes=app.routes)
    app.add_middleware(
        GZipMiddleware,
        minimum_size=GZIP_FROM_BYTES,
        compresslevel=GZIP_LEVEL,
        thread_minimum_size=GZIP_BESIDE_FROM_BYTES,
    )
    app.add_middleware(Guard, hosts=settings.edge_allowed_hosts, headers=HEADERS)


@asynccontextmanager
async def _running(resources: Resources) -> AsyncIterator[None]:
    """Open the pool without waiting for the database, and keep the stream running meanwhile."""
    resources.pool.open(wait=False)
    reader = StreamReader(resources.hub, resources.stream, resources.alerts)
    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(resources.hub.beat())]
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


async def _unknown_name(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, UnknownNameError)  # noqa: S101 - registered for nothing else
    name = error.name if len(error.name) <= MAX_TEXT_LENGTH else f"{error.name[:MAX_TEXT_LENGTH]}…"
    return JSONResponse({"detail": f"there is no {error.kind} {name!a}", "known": error.known}, 404)


async def _unusable(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "a parameter is nothing that the database can look for"}, 400)


async def _database_away(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the database does not answer; try again"}, 503)
