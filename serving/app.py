"""The serving application: REST, the live stream, the board."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from starlette.staticfiles import StaticFiles

from edge_assets.texts import MAX_TEXT_LENGTH
from serving import auth, board
from serving.api import alerts, health, middles, odds, status
from serving.api.sports import UnknownNameError
from serving.deps import Resources
from serving.realtime import endpoint
from serving.realtime.reader import StreamReader
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_assets.settings import Settings

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

    app = FastAPI(title="Edge Finder", version=VERSION, description=DESCRIPTION, lifespan=lifespan)
    app.state.resources = resources
    for module in (odds, middles, alerts, health, status, endpoint):
        app.include_router(module.router)
    if settings.edge_local:
        app.include_router(auth.router)
        settings.data_docs.mkdir(parents=True, exist_ok=True)
        app.mount("/data-docs", StaticFiles(directory=settings.data_docs, html=True))
    board.mount(app)
    app.add_exception_handler(UnknownNameError, _unknown_name)
    app.add_exception_handler(psycopg.DataError, _unusable)
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _database_away)
    return app


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
