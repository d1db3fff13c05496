"""The burst: a few minutes of polling, one task a sport, in one process.

    lease → last known quotes → backlog of the outbox → (ask → diff → commit → publish → wait)* → hand over

What is committed reaches the stream: a poll is put into the outbox with its commit, and whoever holds a sport
relays what its predecessor could not.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from edge_assets.feeds.odds_api.cache import CachedOddsApi, ResponseCache
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.ingestion.clients import feed_client, feed_clock
from edge_assets.ingestion.credits import ask_sports, newest_credits
from edge_assets.ingestion.desk import BurstOrder, Desk
from edge_assets.ingestion.facts import activity_of, terms_of
from edge_assets.ingestion.meter import Meter
from edge_assets.ingestion.poller import SportPoller
from edge_assets.ingestion.watch import Watch
from edge_assets.settings import Feed
from edge_assets.store import polling
from edge_assets.store.credits import write_statement
from edge_assets.store.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from datetime import datetime

    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.ingestion.report import SportReport
    from edge_assets.settings import Settings
    from edge_assets.store.credits import CreditStatement

__all__ = ["BurstOrder", "run_burst"]


async def run_burst(order: BurstOrder, settings: Settings) -> list[SportReport]:
    """Poll the sports of an order until each has been handed over or the time is up.

    One report a sport, in the order's order; what went wrong with a sport is in its report. SIGTERM ends the turns
    between two polls. Raises `MissingSettingError` without a database, a stream or a key.
    """
    async with _desk(settings) as desk, _watched(order, desk):
        pollers = [SportPoller(sport, order, desk) for sport in order.sports]
        gc.collect()
        gc.freeze()  # the collector would walk everything imported, again and again: 2-3x on parsing
        try:
            with _called_off_by_signal(desk):
                return await asyncio.gather(*(poller.run() for poller in pollers))
        finally:
            gc.unfreeze()


@contextmanager
def _called_off_by_signal(desk: Desk) -> Iterator[None]:
    """SIGTERM calls the burst off meanwhile, so that a stack that is stopped leaves no run that failed."""
    if threading.current_thread() is not threading.main_thread():  # only there a signal can be handled
        yield
        return
    loop = asyncio.get_running_loop()
    previous = signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(desk.called_off.set))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@asynccontextmanager
async def _watched(order: BurstOrder, desk: Desk) -> AsyncIterator[None]:
    """Look before the first poll: a run that took too long to get here may have been given up."""
    watch = Watch(order, desk)
    await watch.look()
    async with _beside(watch.run()):
        yield
    await watch.look()


@asynccontextmanager
async def _beside(work: Coroutine[None, None, object]) -> AsyncIterator[None]:
    """Do some work meanwhile; what is not done by then is not needed."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[Desk]:
    url = settings.require_database()
    async with AsyncExitStack() as stack:
        clock = feed_clock(settings)
        client = await stack.enter_async_context(feed_client(settings, clock))
        redis = await stack.enter_async_context(_stream(settings.require_redis()))
        sports, stated = await ask_sports(client, clock)
        if sports:
            await stack.enter_async_context(_beside(_cached(client, redis, settings).warm(settings.edge_sports)))
        yield Desk(
            database_url=url,
            feed=settings.edge_feed.value,
            regions=settings.edge_regions,
            markets=settings.edge_markets,
            titles={sport.key: sport.title for sport in sports},
            outright_sports=frozenset(sport.key for sport in sports if sport.has_outrights),
            client=client,
            clock=clock,
            meter=_meter(settings, stated, clock.now()),
            redis=redis,
            lost_polls=settings.lost_polls if settings.edge_home.expanduser().is_dir() else None,
        )


def _meter(settings: Settings, stated: CreditStatement | None, now: datetime) -> Meter:
    """What the database knows of the sports, and what the feed has just said of the credits, which is kept."""
    feed, terms = settings.edge_feed.value, terms_of(settings)
    with closing(connect(settings.require_database(), "edge-burst")) as connection:
        if stated is not None:
            write_statement(connection, feed, stated)
        looks = polling.last_looks(connection)
        newest = newest_credits(connection, feed, terms.cost, now)
    known = {s: looks.get(s) for s in settings.edge_sports}
    activities = {s: activity_of(look) if look else SportActivity() for s, look in known.items()}
    return Meter(terms, activities, newest)


def _stream(url: str) -> Redis:
    """Impatient: while the stream is down the outbox keeps what it owes, and polling must go on."""
    return Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0))


def _cached(client: OddsApiClient, redis: Redis, settings: Settings) -> CachedOddsApi:
    """The free endpoints, shared between bursts; virtual time has no use for answers that age in real time."""
    seconds = settings.cache_ttl_seconds if settings.edge_feed is Feed.ODDS_API else 0
    return CachedOddsApi(client, ResponseCache(redis, seconds, f"feed:{settings.edge_feed.value}"))
