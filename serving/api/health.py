"""Health for supervisors and load balancers, status for people."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from edge_assets.store import board
from serving.api.models import Health
from serving.deps import Held, Resources, in_store
from serving.version import VERSION

LAG_POLLS = 10
"""More unscored polls than a healthy scorer ever has."""

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses={503: {"model": Health, "description": "the database or Redis is away"}})
async def healthz(held: Held, response: Response) -> Health:
    """Whether database and Redis answer, how far the scorer is, and when the feed was last heard."""
    pulse = await _pulse(held)
    redis = await _redis(held)
    lag = pulse.scorer_lag_polls if pulse else None
    failing = pulse.failing if pulse else []
    up = pulse is not None and redis
    if not up:
        response.status_code = 503
    return Health(
        status="down" if not up else "degraded" if failing or (lag and lag > LAG_POLLS) else "ok",
        version=VERSION,
        feed=pulse.feed if pulse else None,
        database=pulse is not None,
        redis=redis,
        scorer_lag_polls=lag,
        scorer_failing=failing,
        last_poll_at=pulse.last_poll_at if pulse else None,
        stream_clients=len(held.hub.clients),
    )


async def _pulse(held: Resources) -> board.Pulse | None:
    try:
        return await run_in_threadpool(in_store, held.pool, board.pulse)
    except (psycopg.Error, PoolTimeout):
        return None


async def _redis(held: Resources) -> bool:
    try:
        return bool(await held.cache.ping())
    except (RedisError, OSError):
        return False
