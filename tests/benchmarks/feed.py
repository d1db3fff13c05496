"""`python -m tests.benchmarks.feed PORT STEPS`: The Odds API's `/odds` with a prepared payload for every poll."""

from __future__ import annotations

import gzip
import sys
from collections import deque
from datetime import UTC, datetime

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge_assets.core.clock import SPEED_HEADER, TIME_HEADER
from tests.benchmarks.market import MarketStream
from tests.benchmarks.payloads import SPORT

SPORTS = [{"key": SPORT, "title": "EPL", "group": "Soccer", "description": "", "active": True, "has_outrights": False}]


def compress_bodies(steps: int) -> deque[bytes]:
    """Compressed ahead: a feed's machine is not ours, and what it spends must not count."""
    stream = MarketStream(now=datetime.now(UTC))
    return deque(gzip.compress(body, 1) for body in (stream.body(), *(stream.step() for _ in range(steps))))


def create_app(bodies: deque[bytes]) -> Starlette:
    """Each poll gets the next body; the last one is repeated."""

    def answer(body: bytes, **headers: str) -> Response:
        now = {TIME_HEADER: datetime.now(UTC).isoformat(), SPEED_HEADER: "1"}
        return Response(body, media_type="application/json", headers=now | headers)

    async def sports(_: Request) -> Response:
        return answer(msgspec.json.encode(SPORTS))

    async def odds(_: Request) -> Response:
        body = bodies.popleft() if len(bodies) > 1 else bodies[0]
        return answer(body, **{"content-encoding": "gzip"})

    async def nothing(_: Request) -> Response:
        return answer(b"[]")

    return Starlette(
        routes=[
            Route("/_edge/ready", nothing),
            Route("/v4/sports", sports),
            Route("/v4/sports/{sport}/odds", odds),
            Route("/v4/sports/{sport}/events", nothing),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        create_app(compress_bodies(int(sys.argv[2]))), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning"
    )
