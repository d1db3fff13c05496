"""The burst: a few minutes of polling in one process, one task per sport.

    lease → last known quotes → outbox backlog → (request → diff → commit → publish → wait)* → hand over

Every committed poll reaches the stream: it enters the outbox in its own transaction, and the holder of a sport
publishes what its predecessor could not.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from edge_assets.core.settings import Feed
from edge_assets.feeds.odds_api.cache import CachedOddsApi, ResponseCache
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.ingestion.clients import create_feed_client, create_feed_clock
from edge_assets.ingestion.context import BurstContext, BurstRequest
from edge_assets.ingestion.credits import fetch_sports, latest_credit_statement
from edge_assets.ingestion.poller import SportPoller
from edge_assets.ingestion.run_watch import BurstMonitor
from edge_assets.ingestion.scheduler import PollScheduler
from edge_assets.ingestion.sensor_state import activity_from_poll, feed_terms
from edge_assets.ingestion.termination import TERMINATION
from edge_assets.store.polls import activity
from edge_assets.store.polls.credits import write_credit_statement
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from datetime import datetime

    from edge_assets.core.settings import Settings
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.ingestion.report import SportReport
    from edge_assets.store.polls.credits import CreditStatement

__all__ = ["BurstRequest", "run_burst"]


async def run_burst(request: BurstRequest, settings: Settings) -> list[SportReport]:
    """Poll the requested sports until each has been handed over or the time is up.

    Returns one report per sport, in the order requested; a sport's errors are in its report. SIGTERM ends polling
    between two polls. Raises `MissingSettingError` without a database, a stream or a key.
    """
    async with _open_context(settings) as context, _monitor_burst(request, context):
        pollers = [SportPoller(sport, request, context) for sport in request.sports]
        gc.collect()
        gc.freeze()  # otherwise each collection walks all imported modules, which makes parsing 2-3 times slower
        try:
            with TERMINATION.cancelling(context.cancelled):
                return await asyncio.gather(*(poller.run() for poller in pollers))
        finally:
            gc.unfreeze()


@asynccontextmanager
async def _monitor_burst(request: BurstRequest, context: BurstContext) -> AsyncIterator[None]:
    """Check before the first poll too: a run that took long to start may have been replaced."""
    monitor = BurstMonitor(request, context)
    await monitor.check()
    async with _run_in_background(monitor.run()):
        yield
    await monitor.check()


@asynccontextmanager
async def _run_in_background(work: Coroutine[None, None, object]) -> AsyncIterator[None]:
    """Run `work` in the background and cancel it on exit; nothing depends on its result."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _open_context(settings: Settings) -> AsyncIterator[BurstContext]:
    url = settings.require_database_url()
    async with AsyncExitStack() as stack:
        clock = create_feed_clock(settings)
        client = await stack.enter_async_context(create_feed_client(settings, clock))
        redis = await stack.enter_async_context(_connect_stream(settings.require_redis_url()))
        sports, stated = await fetch_sports(client, clock)
        if sports:
            await stack.enter_async_context(
                _run_in_background(_create_cached_client(client, redis, settings).warm(settings.edge_sports))
            )
        yield BurstContext(
            database_url=url,
            feed=settings.edge_feed.value,
            regions=settings.edge_regions,
            markets=settings.edge_markets,
            sport_titles={sport.key: sport.title for sport in sports},
            outright_sports=frozenset(sport.key for sport in sports if sport.has_outrights),
            client=client,
            clock=clock,
            scheduler=_create_scheduler(settings, stated, clock.now()),
            redis=redis,
            lost_polls=settings.lost_polls if settings.edge_home.expanduser().is_dir() else None,
        )


def _create_scheduler(settings: Settings, stated: CreditStatement | None, now: datetime) -> PollScheduler:
    """A scheduler from the stored activity of the sports and the credits just stated, which are stored too."""
    feed, terms = settings.edge_feed.value, feed_terms(settings)
    with closing(connect(settings.require_database_url(), "edge-burst")) as connection:
        if stated is not None:
            write_credit_statement(connection, feed, stated)
        last_polls = activity.load_last_polls(connection)
        latest_credits = latest_credit_statement(connection, feed, terms.credits_per_poll, now)
    polls_by_sport = {s: last_polls.get(s) for s in settings.edge_sports}
    activities = {s: activity_from_poll(poll) if poll else SportActivity() for s, poll in polls_by_sport.items()}
    return PollScheduler(terms, activities, latest_credits)


def _connect_stream(url: str) -> Redis:
    """With short timeouts: while the stream is down the outbox holds its messages, and polling must go on."""
    return Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0))


def _create_cached_client(client: OddsApiClient, redis: Redis, settings: Settings) -> CachedOddsApi:
    """The free endpoints, cached across bursts; in virtual time a TTL in real time would be wrong."""
    seconds = settings.cache_ttl_seconds if settings.edge_feed is Feed.ODDS_API else 0
    return CachedOddsApi(client, ResponseCache(redis, seconds, f"feed:{settings.edge_feed.value}"))
