"""The burst: a few minutes of polling, one task a sport, in one process.

    lease → last known quotes → backlog of the outbox → (ask → diff → commit → publish → wait)* → hand over

What is committed reaches the stream: a poll is put into the outbox with its commit, and whoever holds a sport
relays what its predecessor could not.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from edge_assets.feeds.odds_api.cache import CachedOddsApi, ResponseCache
from edge_assets.ingestion.clients import feed_client, feed_clock
from edge_assets.ingestion.credits import ask_sports, newest_credits
from edge_assets.ingestion.desk import BurstOrder, Desk
from edge_assets.ingestion.facts import activity_of, terms_of
from edge_assets.ingestion.meter import Meter
from edge_assets.ingestion.poller import SportPoller
from edge_assets.settings import Feed
from edge_assets.store import polling
from edge_assets.store.credits import write_statement
from edge_assets.store.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.ingestion.report import SportReport
    from edge_assets.settings import Settings
    from edge_assets.store.credits import CreditStatement

__all__ = ["BurstOrder", "run_burst"]


async def run_burst(order: BurstOrder, settings: Settings) -> list[SportReport]:
    """Poll the sports of an order until each has been handed over or the time is up.

    One report a sport, in the order's order; what went wrong with a sport is in its report. Raises
    `MissingSettingError` without a database, a stream or a key.
    """
    async with _desk(settings) as desk:
        pollers = [SportPoller(sport, order, desk) for sport in order.sports]
        gc.collect()
        gc.freeze()  # the collector would walk everything imported, again and again: 2-3x on parsing
        try:
            return await asyncio.gather(*(poller.run() for poller in pollers))
        finally:
            gc.unfreeze()


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[Desk]:
    url = settings.require_database()
    async with AsyncExitStack() as stack:
        clock = feed_clock(settings)
        client = await stack.enter_async_context(feed_client(settings, clock))
        redis = await stack.enter_async_context(_stream(settings.require_redis()))
        sports, stated = await ask_sports(client, clock)
        if sports:
            await _cached(client, redis, settings).warm(settings.edge_sports)
        yield Desk(
            database_url=url,
            feed=settings.edge_feed.value,
            regions=settings.edge_regions,
            markets=settings.edge_markets,
            titles={sport.key: sport.title for sport in sports},
            client=client,
            clock=clock,
            meter=_meter(settings, stated),
            redis=redis,
        )


def _meter(settings: Settings, stated: CreditStatement | None) -> Meter:
    """What the database knows of the sports, and what the feed has just said of the credits, which is kept."""
    feed = settings.edge_feed.value
    with closing(connect(settings.require_database(), "edge-burst")) as connection:
        if stated is not None:
            write_statement(connection, feed, stated)
        looks = polling.last_looks(connection)
        newest = newest_credits(connection, feed, looks.values())
    activities = {s: activity_of(look) for s in settings.edge_sports if (look := looks.get(s))}
    return Meter(terms_of(settings), activities, newest)


def _stream(url: str) -> Redis:
    """Impatient: while the stream is down the outbox keeps what it owes, and polling must go on."""
    return Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0))


def _cached(client: OddsApiClient, redis: Redis, settings: Settings) -> CachedOddsApi:
    """The free endpoints, shared between bursts; virtual time has no use for answers that age in real time."""
    seconds = settings.cache_ttl_seconds if settings.edge_feed is Feed.ODDS_API else 0
    return CachedOddsApi(client, ResponseCache(redis, seconds, f"feed:{settings.edge_feed.value}"))
