"""The sandbox server: The Odds API v4 over HTTP, from a snapshot source."""

from __future__ import annotations

from functools import partial
from math import inf, isinf
from typing import TYPE_CHECKING

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from edge_assets.sandbox.server.catalogue import Catalogue
from edge_assets.sandbox.server.faults import Faults
from edge_assets.sandbox.server.gateway import Gateway
from edge_assets.sandbox.server.historical_routes import HistoricalService
from edge_assets.sandbox.server.live_routes import LiveService
from edge_assets.sandbox.server.playback import MAX_CALLS_PER_SECOND, create_playback
from edge_assets.sandbox.server.quota import CreditAccounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from edge_assets.feeds.recordings.source import SnapshotSource
    from edge_assets.sandbox.server.live_routes import Reply

DEFAULT_CREDITS_PER_MONTH = 5_000_000
FAULTS_PATH = "/_edge/faults"
READY_PATH = "/_edge/ready"
_MIN_GZIP_BYTES = 1000
_JSON = "application/json"


def create_app(
    source: SnapshotSource,
    *,
    speed: float = inf,
    credits_per_month: int = DEFAULT_CREDITS_PER_MONTH,
    faults: Faults | None = None,
) -> FastAPI:
    """Create the application. `speed`: virtual seconds per real second, or `inf` to step from capture to capture.

    A source without captures (the simulator) always follows the wall clock. The rate limit of 30 calls per second is in
    virtual time, so that a fast replay is not throttled.
    """
    active_playback = create_playback(source.captures, speed)
    catalogue = Catalogue(source, faults or Faults())
    gateway = Gateway(
        catalogue, active_playback, CreditAccounts(credits_per_month, MAX_CALLS_PER_SECOND * active_playback.speed)
    )
    app = FastAPI(title="Edge Finder replay", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=_MIN_GZIP_BYTES, compresslevel=1)
    app.add_middleware(_OptionalTrailingSlash)
    for path, endpoint in _build_endpoints(catalogue, gateway).items():
        app.get(f"/v4{path}")(_make_handler(gateway, endpoint))
    _add_admin_routes(app, gateway)
    return app


def _build_endpoints(catalogue: Catalogue, gateway: Gateway) -> dict[str, Callable[..., Reply]]:
    live = LiveService(catalogue, gateway.playback)
    historical = HistoricalService(catalogue, gateway.playback)
    return {
        "/sports": live.sports,
        "/sports/{sport}/events": live.events,
        "/sports/{sport}/odds": live.odds,
        "/sports/{sport}/scores": live.scores,
        "/sports/{sport}/participants": live.participants,
        "/sports/{sport}/events/{event_id}/odds": live.event_odds,
        "/sports/{sport}/events/{event_id}/markets": live.event_markets,
        "/historical/sports/{sport}/odds": historical.odds,
        "/historical/sports/{sport}/events": historical.events,
        "/historical/sports/{sport}/events/{event_id}/odds": historical.event_odds,
    }


def _make_handler(gateway: Gateway, endpoint: Callable[..., Reply]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return gateway.handle(request, partial(endpoint, **request.path_params))

    return handle


def _add_admin_routes(app: FastAPI, gateway: Gateway) -> None:
    """Add readiness and the fault switches: GET shows them, PUT replaces the set, DELETE clears it."""

    @app.get(READY_PATH)
    async def ready() -> Response:
        now, source, speed = gateway.playback.now(), gateway.catalogue.source, gateway.playback.speed
        state = {
            "captures": len(source.captures),
            "position": gateway.playback.position(),
            "speed": "max" if isinf(speed) else speed,
            "time": now.at,
            "ended": now.speed == 0,
            "sports": [sport.key for sport in source.sports()],
        }
        return Response(msgspec.json.encode(state), media_type=_JSON)

    @app.get(FAULTS_PATH)
    async def show_faults() -> Response:
        return Response(msgspec.json.encode(gateway.catalogue.faults), media_type=_JSON)

    @app.put(FAULTS_PATH)
    async def set_faults(request: Request) -> Response:
        try:
            gateway.catalogue.faults = msgspec.json.decode(await request.body(), type=Faults)
        except msgspec.DecodeError as error:
            return Response(msgspec.json.encode({"message": str(error)}), 422, media_type=_JSON)
        return await show_faults()

    @app.delete(FAULTS_PATH)
    async def clear_faults() -> Response:
        gateway.catalogue.faults = Faults()
        return await show_faults()


class _OptionalTrailingSlash:
    """Accepts `/odds` and `/odds/`, as the API does; a redirect would cost the client a second call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strip trailing slashes from the path."""
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)
