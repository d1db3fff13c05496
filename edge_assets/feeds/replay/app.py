"""The replay server: The Odds API v4 over HTTP, played from a tape."""

from __future__ import annotations

from functools import partial
from math import inf, isinf
from typing import TYPE_CHECKING

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from edge_assets.feeds.replay.catalogue import Catalogue
from edge_assets.feeds.replay.faults import Faults
from edge_assets.feeds.replay.gateway import Gateway
from edge_assets.feeds.replay.history import HistoricalService
from edge_assets.feeds.replay.live import LiveService
from edge_assets.feeds.replay.playback import CALLS_PER_SECOND, playback
from edge_assets.feeds.replay.quota import Ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from edge_assets.feeds.replay.live import Reply
    from edge_assets.feeds.replay.tape import Tape

DEFAULT_CREDITS = 5_000_000
FAULTS_PATH = "/_edge/faults"
READY_PATH = "/_edge/ready"
_SMALLEST_GZIP = 1000
_JSON = "application/json"


def create_app(
    tape: Tape,
    *,
    speed: float = inf,
    credits_per_month: int = DEFAULT_CREDITS,
    faults: Faults | None = None,
) -> FastAPI:
    """The application. `speed`: virtual seconds per real one, or `inf` to step from capture to capture.

    A tape without captures (the simulator) always runs by the wall clock. The rate limit of 30 calls a second
    counts in the tape's time, so that a fast replay is not throttled.
    """
    played = playback(tape.captures, speed)
    catalogue = Catalogue(tape, faults or Faults())
    gateway = Gateway(catalogue, played, Ledger(credits_per_month, CALLS_PER_SECOND * played.speed))
    app = FastAPI(title="Edge Finder replay", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_GZIP, compresslevel=1)
    app.add_middleware(_OptionalTrailingSlash)
    for path, endpoint in _endpoints(catalogue, gateway).items():
        app.get(f"/v4{path}")(_handler(gateway, endpoint))
    _add_admin(app, gateway)
    return app


def _endpoints(catalogue: Catalogue, gateway: Gateway) -> dict[str, Callable[..., Reply]]:
    live = LiveService(catalogue, gateway.playback)
    past = HistoricalService(catalogue, gateway.playback)
    return {
        "/sports": live.sports,
        "/sports/{sport}/events": live.events,
        "/sports/{sport}/odds": live.odds,
        "/sports/{sport}/scores": live.scores,
        "/sports/{sport}/participants": live.participants,
        "/sports/{sport}/events/{event_id}/odds": live.event_odds,
        "/sports/{sport}/events/{event_id}/markets": live.event_markets,
        "/historical/sports/{sport}/odds": past.odds,
        "/historical/sports/{sport}/events": past.events,
        "/historical/sports/{sport}/events/{event_id}/odds": past.event_odds,
    }


def _handler(gateway: Gateway, endpoint: Callable[..., Reply]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return gateway.answer(request, partial(endpoint, **request.path_params))

    return handle


def _add_admin(app: FastAPI, gateway: Gateway) -> None:
    """Readiness, and the fault switches: GET them, PUT a whole set, DELETE to switch all off."""

    @app.get(READY_PATH)
    async def ready() -> Response:
        moment, tape, speed = gateway.playback.now(), gateway.catalogue.tape, gateway.playback.speed
        state = {
            "captures": len(tape.captures),
            "position": gateway.playback.position(),
            "speed": "max" if isinf(speed) else speed,
            "time": moment.at,
            "ended": moment.speed == 0,
            "sports": [sport.key for sport in tape.sports()],
        }
        return Response(msgspec.json.encode(state), media_type=_JSON)

    @app.get(FAULTS_PATH)
    async def show() -> Response:
        return Response(msgspec.json.encode(gateway.catalogue.faults), media_type=_JSON)

    @app.put(FAULTS_PATH)
    async def switch(request: Request) -> Response:
        try:
            gateway.catalogue.faults = msgspec.json.decode(await request.body(), type=Faults)
        except msgspec.DecodeError as error:
            return Response(msgspec.json.encode({"message": str(error)}), 422, media_type=_JSON)
        return await show()

    @app.delete(FAULTS_PATH)
    async def clear() -> Response:
        gateway.catalogue.faults = Faults()
        return await show()


class _OptionalTrailingSlash:
    """The API takes `/odds` and `/odds/`; a redirect would cost the client a second call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the slash."""
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)
