"""Whether the product works (`/healthz`), and whether this process can serve (`/readyz`)."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import psycopg
from anyio import to_thread
from fastapi import APIRouter, Response
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError, ResponseError

from edge_assets.core.lost_polls import read_all
from edge_assets.core.settings import Feed
from edge_assets.health.assessment import (
    SENSOR,
    WATCHDOG,
    assess_health,
    assess_lost_polls,
    assess_without_database,
    confirmation_ages,
)
from edge_assets.health.credits import forecast_credits
from edge_assets.health.issues import HealthIssue
from edge_assets.health.machine import assess_disk
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.health.vital_signs import HealthSnapshot, connect_with_timeout, load_health_snapshot
from edge_assets.store.polls.credit_use import load_credit_use
from serving.api.models import HealthReport, Readiness
from serving.deps import ResourcesDep
from serving.resources import Resources, run_in_pool
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from edge_assets.core.settings import Settings
    from edge_assets.health import issues

T = TypeVar("T")

ANSWER_TIMEOUT_SECONDS = 3.0
"""A little longer than the pool waits: a suspended database never answers."""
READYZ_HEALTH_SECONDS = 1.0
MAX_STREAM_SILENCE_SECONDS = 30.0
"""The stream reader polls every two seconds; during a Redis outage, every five."""
NO_ANSWER = "no answer within 3 seconds"
LIVE_STREAM = "live stream"
RECONNECTING_SERVICES = {SENSOR, WATCHDOG, LIVE_STREAM}
"""These open new connections, while the connections of this process still work."""
DATABASE_THREADS = anyio.CapacityLimiter(4)
"""Threads that may hang with the database, separate from those of requests."""

router = APIRouter(tags=["operations"])
UNHEALTHY_RESPONSE: dict[int | str, dict[str, Any]] = {
    503: {"model": HealthReport, "description": "alerts are missing or wrong"}
}
UNREADY_RESPONSE: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "database unavailable"}}


@router.get("/healthz", responses=UNHEALTHY_RESPONSE)
async def healthz(resources: ResourcesDep, response: Response) -> HealthReport:
    """What is wrong with the product, and what to do: 200 `ok` or `degraded`, 503 `down`."""
    health = await _load_health(resources)
    if health.status == "down":
        response.status_code = 503
    return health


@router.get("/api/health")
async def health(resources: ResourcesDep) -> HealthReport:
    """The same report for web pages: status 200 in every state."""
    return await _load_health(resources)


async def _load_health(resources: Resources) -> HealthReport:
    answer = await _query_database(resources, partial(_read_health, configured=resources.settings.edge_feed))
    redis = await _is_redis_up(resources)
    own_findings = [
        *_own_findings(resources, redis=redis),
        *await to_thread.run_sync(_find_lost_polls, resources.settings),
    ]
    signs, outlook = (None, None) if isinstance(answer, str) else answer
    found = assess_health(signs, own_findings) if signs else assess_without_database(str(answer), own_findings)
    if signs and any(f.kind == ProblemKind.SERVICE_HANGS and f.subject in RECONNECTING_SERVICES for f in found.issues):
        found = assess_health(signs, [*await _find_rejections(resources), *own_findings])
    return HealthReport.model_validate(
        {
            "status": found.status,
            "headline": found.headline,
            "problems": [finding.as_json() for finding in found.issues],
            "version": VERSION,
            "feed": signs.feed if signs else None,
            "database": signs is not None,
            "redis": redis,
            "scorer_lag_polls": signs.unscored_polls if signs else None,
            "scorer_failing": [failure.sport for failure in signs.scorer_failures] if signs else [],
            "last_poll_at": signs.last_poll_at if signs else None,
            "credits": outlook,
            "confirmations": {s: known._asdict() for s, known in confirmation_ages(signs).items()} if signs else None,
            "stream_clients": len(resources.hub.clients),
            "stream_read_s": round(_stream_silent_seconds(resources), 1),
            "stream_foreign_entries": resources.hub.foreign_entries,
        }
    )


@router.get("/readyz", responses=UNREADY_RESPONSE)
async def readyz(resources: ResourcesDep, response: Response) -> Readiness:
    """Whether this process can answer requests: it stays ready while the feed, the scorer or Redis is down.

    The health of the product is included if it is known within a second: a liveness probe must not wait longer.
    """
    answer = await _query_database(resources, _ping)
    ready = answer is True
    if not ready:
        response.status_code = 503
    found = await _health_if_quick(resources) if ready else None
    return Readiness.model_validate(
        {
            "ready": ready,
            "reason": "" if ready else f"database unavailable: {answer}",
            "status": found and found.status,
            "headline": found and found.headline,
            "problems": [finding.as_json() for finding in found.issues] if found else [],
        }
    )


async def _health_if_quick(resources: Resources) -> issues.Health | None:
    """The product's health from the database, or None if it takes too long."""
    with anyio.move_on_after(READYZ_HEALTH_SECONDS):
        signs = await _query_database(resources, load_health_snapshot)
        return None if isinstance(signs, str) else assess_health(signs)
    return None


def _own_findings(resources: Resources, *, redis: bool) -> Iterator[HealthIssue]:
    if not redis:
        yield HealthIssue(ProblemKind.REDIS_UNREACHABLE, "", "no answer to a PING")
    if (silence := _stream_silent_seconds(resources)) > MAX_STREAM_SILENCE_SECONDS:
        detail = f"alert stream not read for {silence:.0f} s: clients get no new alerts"
        yield HealthIssue(ProblemKind.SERVICE_HANGS, LIVE_STREAM, detail)


async def _find_rejections(resources: Resources) -> list[HealthIssue]:
    """Whether the database rejects new connections while old ones work, as when its main process hangs."""
    connect = partial(connect_with_timeout, resources.settings.require_database_url(), "serving health")
    try:
        with anyio.fail_after(ANSWER_TIMEOUT_SECONDS):
            (await to_thread.run_sync(connect, abandon_on_cancel=True, limiter=DATABASE_THREADS)).close()
    except (TimeoutError, psycopg.Error) as error:
        detail = f"no new connection: {type(error).__name__}"
        return [HealthIssue(ProblemKind.DATABASE_UNREACHABLE, "", detail)]
    return []


def _find_lost_polls(settings: Settings) -> list[HealthIssue]:
    """What a full disk keeps out of the database: that it is full, and the polls lost."""
    found = [*assess_lost_polls(read_all(settings.lost_polls))]
    with suppress(OSError):  # the folder is missing if the services run on separate machines
        found += assess_disk(str(settings.edge_home), shutil.disk_usage(settings.edge_home).free)
    return found


def _stream_silent_seconds(resources: Resources) -> float:
    return time.monotonic() - resources.hub.read_at


def _read_health(conn: Connection, configured: Feed) -> tuple[HealthSnapshot, dict[str, Any] | None]:
    """Vital signs and credits; before the first poll, those of the configured feed."""
    signs = load_health_snapshot(conn)
    feed = signs.feed or configured
    if feed != Feed.ODDS_API:
        return signs, None
    return signs, forecast_credits(load_credit_use(conn, feed, signs.now), signs.now).as_json()


def _ping(conn: Connection) -> bool:
    return conn.execute("SELECT true").fetchone() == (True,)


async def _query_database(resources: Resources, query: Callable[[Connection], T]) -> T | str:
    """The result of a query, or why there is none."""
    try:
        with anyio.fail_after(ANSWER_TIMEOUT_SECONDS):
            return await to_thread.run_sync(
                run_in_pool, resources.pool, query, abandon_on_cancel=True, limiter=DATABASE_THREADS
            )
    except TimeoutError:
        return NO_ANSWER
    except (psycopg.Error, PoolTimeout) as error:
        return f"{type(error).__name__}"


async def _is_redis_up(resources: Resources) -> bool:
    """Uses the client with the long timeout: on a busy machine, half a second does not mean that Redis is down."""
    try:
        with anyio.fail_after(ANSWER_TIMEOUT_SECONDS):
            return bool(await resources.stream.ping())
    except ResponseError:  # such as MISCONF on a full disk: Redis answers; the scorer reports refused writes
        return True
    except (RedisError, OSError):
        return False
