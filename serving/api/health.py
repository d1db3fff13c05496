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

from edge_assets.health.assessment import SENSOR, WATCHDOG, assess, assess_lost, confirmations, without_database
from edge_assets.health.credits import foresee
from edge_assets.health.findings import Finding
from edge_assets.health.machine import assess_disk
from edge_assets.lost_polls import read_all
from edge_assets.settings import Feed
from edge_assets.store.credit_use import read_credit_use
from edge_assets.store.problems import ProblemKind
from edge_assets.store.vital_signs import VitalSigns, connect_briefly, read_vital_signs
from serving.api.models import Health, Readiness
from serving.deps import Held, Resources, in_store
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from edge_assets.health import findings
    from edge_assets.settings import Settings

T = TypeVar("T")

ANSWER_SECONDS = 3.0
"""A little more than the pool waits: a database that is stopped in the middle never answers."""
SECONDS_BESIDE = 1.0
STREAM_SECONDS = 30.0
"""The reader of alerts looks every two seconds; through an outage of Redis, every five."""
SILENT = "no answer within 3 seconds"
CONNECTING_ANEW = {SENSOR, WATCHDOG}
"""Who needs a new connection for each sign of life, while this process keeps its own."""
AT_ONCE = anyio.CapacityLimiter(4)
"""Threads that may hang in such a database, apart from those that requests get."""

router = APIRouter(tags=["operations"])
UNHEALTHY: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "alerts are missing or wrong"}}
UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "the database is away"}}


@router.get("/healthz", responses=UNHEALTHY)
async def healthz(held: Held, response: Response) -> Health:
    """What is wrong with the product, and what to do: 200 `ok` or `degraded`, 503 `down`."""
    health = await _health(held)
    if health.status == "down":
        response.status_code = 503
    return health


@router.get("/api/health")
async def health(held: Held) -> Health:
    """The same for pages, 200 in every state."""
    return await _health(held)


async def _health(held: Resources) -> Health:
    answer = await _asked(held, partial(_examined, configured=held.settings.edge_feed))
    redis = await _redis(held)
    beside = [*_found_here(held, redis=redis), *await to_thread.run_sync(_found_on_disk, held.settings)]
    signs, outlook = (None, None) if isinstance(answer, str) else answer
    found = assess(signs, beside) if signs else without_database(str(answer), beside)
    if signs and any(f.kind == ProblemKind.SERVICE_HANGS and f.subject in CONNECTING_ANEW for f in found.findings):
        found = assess(signs, [*await _refused(held), *beside])
    return Health.model_validate(
        {
            "status": found.status,
            "headline": found.headline,
            "problems": [finding.as_json() for finding in found.findings],
            "version": VERSION,
            "feed": signs.feed if signs else None,
            "database": signs is not None,
            "redis": redis,
            "scorer_lag_polls": signs.unscored_polls if signs else None,
            "scorer_failing": [failure.sport for failure in signs.scorer_failures] if signs else [],
            "last_poll_at": signs.last_poll_at if signs else None,
            "credits": outlook,
            "confirmations": {s: known._asdict() for s, known in confirmations(signs).items()} if signs else None,
            "stream_clients": len(held.hub.clients),
            "stream_read_s": round(_stream_silence(held), 1),
            "stream_foreign_entries": held.hub.foreign_entries,
        }
    )


@router.get("/readyz", responses=UNREADY)
async def readyz(held: Held, response: Response) -> Readiness:
    """Whether this process can answer requests: it stays ready while the feed, the scorer or Redis is away.

    How the product fares is told beside it, if that is known within a second: whoever asks whether a process lives
    does not wait for more.
    """
    answer = await _asked(held, _reached)
    ready = answer is True
    if not ready:
        response.status_code = 503
    found = await _told(held) if ready else None
    return Readiness.model_validate(
        {
            "ready": ready,
            "reason": "" if ready else f"the database does not answer: {answer}",
            "status": found and found.status,
            "headline": found and found.headline,
            "problems": [finding.as_json() for finding in found.findings] if found else [],
        }
    )


async def _told(held: Resources) -> findings.Health | None:
    """What the database tells of the product, if it does at once."""
    with anyio.move_on_after(SECONDS_BESIDE):
        signs = await _asked(held, read_vital_signs)
        return None if isinstance(signs, str) else assess(signs)
    return None


def _found_here(held: Resources, *, redis: bool) -> Iterator[Finding]:
    if not redis:
        yield Finding(ProblemKind.REDIS_UNREACHABLE, "", "no answer to a PING")
    if (silence := _stream_silence(held)) > STREAM_SECONDS:
        detail = f"alerts have not been read for {silence:.0f} s: open pages and clients get no new ones"
        yield Finding(ProblemKind.SERVICE_HANGS, "live stream", detail)


async def _refused(held: Resources) -> list[Finding]:
    """Whether the database lets nobody in, while it serves those that are: so does one whose main process hangs."""
    connect = partial(connect_briefly, held.settings.require_database(), "serving health")
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            (await to_thread.run_sync(connect, abandon_on_cancel=True, limiter=AT_ONCE)).close()
    except (TimeoutError, psycopg.Error) as error:
        detail = f"no new connection: {type(error).__name__}"
        return [Finding(ProblemKind.DATABASE_UNREACHABLE, "", detail)]
    return []


def _found_on_disk(settings: Settings) -> list[Finding]:
    """What a full disk keeps from the database: that it is full, and the polls that were lost."""
    found = [*assess_lost(read_all(settings.lost_polls))]
    with suppress(OSError):  # there is no such folder where the services have machines of their own
        found += assess_disk(str(settings.edge_home), shutil.disk_usage(settings.edge_home).free)
    return found


def _stream_silence(held: Resources) -> float:
    return time.monotonic() - held.hub.read_at


def _examined(conn: Connection, configured: Feed) -> tuple[VitalSigns, dict[str, Any] | None]:
    """Before the first poll the configured feed is the one whose credits count."""
    signs = read_vital_signs(conn)
    feed = signs.feed or configured
    if feed != Feed.ODDS_API:
        return signs, None
    return signs, foresee(read_credit_use(conn, feed, signs.now), signs.now).as_json()


def _reached(conn: Connection) -> bool:
    return conn.execute("SELECT true").fetchone() == (True,)


async def _asked(held: Resources, question: Callable[[Connection], T]) -> T | str:
    """The database's answer, or why there is none."""
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            return await to_thread.run_sync(in_store, held.pool, question, abandon_on_cancel=True, limiter=AT_ONCE)
    except TimeoutError:
        return SILENT
    except (psycopg.Error, PoolTimeout) as error:
        return f"{type(error).__name__}"


async def _redis(held: Resources) -> bool:
    """By the patient client: on a busy machine the cache's half a second says nothing about Redis."""
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            return bool(await held.stream.ping())
    except ResponseError:  # such as MISCONF on a full disk: it answers, and the scorer tells that it refuses writes
        return True
    except (RedisError, OSError):
        return False
