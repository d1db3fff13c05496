from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from redis.asyncio import Redis

from edge_assets.feeds.odds_api.cache import CachedOddsApi, ResponseCache
from edge_assets.feeds.odds_api.errors import UnknownSportError
from tests.edge_assets.feeds.odds_api.test_client import SPORT_BODY, client_of
from tests.support.scripted_server import Scripted, error
from tests.support.wire_factories import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.scripted_server import ScriptedApi

SPORTS = msgspec.json.encode([SPORT_BODY])
EVENTS = msgspec.json.encode([{k: v for k, v in event().items() if k != "bookmakers"}])


@asynccontextmanager
async def open_cache(api: ScriptedApi, redis_url: str, ttl_seconds: int = 60) -> AsyncIterator[CachedOddsApi]:
    async with client_of(api.url) as client, Redis.from_url(redis_url) as redis:
        yield CachedOddsApi(client, ResponseCache(redis, ttl_seconds, "odds-api:test"))


@pytest.fixture(autouse=True)
async def _empty(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()


async def test_concurrent_callers_of_two_processes_fetch_once(api: ScriptedApi, redis_url: str) -> None:
    api.set_answers(Scripted(SPORTS, delay=0.2))
    async with open_cache(api, redis_url) as one, open_cache(api, redis_url) as two:
        found = await asyncio.gather(*(cache.sports() for cache in (one, two) * 5))
    assert {sports[0].title for sports in found} == {"NHL"}
    assert len(api.asked) == 1


async def test_a_response_is_cached_until_it_expires(api: ScriptedApi, redis_url: str) -> None:
    api.set_answers(Scripted(EVENTS))
    async with open_cache(api, redis_url, ttl_seconds=1) as cache:
        first, second = await cache.events("icehockey_nhl"), await cache.events("icehockey_nhl")
        assert first == second
        assert len(api.asked) == 1
        await asyncio.sleep(1.1)
        await cache.events("icehockey_nhl")
        await cache.events("soccer_epl")
    assert len(api.asked) == 3


async def test_a_ttl_of_zero_disables_the_cache(api: ScriptedApi, redis_url: str) -> None:
    api.set_answers(Scripted(SPORTS))
    async with open_cache(api, redis_url, ttl_seconds=0) as cache:
        await cache.sports()
        await cache.sports()
    assert len(api.asked) == 2


async def test_errors_are_not_cached(api: ScriptedApi, redis_url: str) -> None:
    api.set_answers(error(404, "UNKNOWN_SPORT", "Unknown sport"), Scripted(EVENTS))
    async with open_cache(api, redis_url) as cache:
        with pytest.raises(UnknownSportError):
            await cache.events("icehockey_nhl")
        assert len(await cache.events("icehockey_nhl")) == 1


async def test_without_redis_everything_is_fetched(api: ScriptedApi) -> None:
    api.set_answers(Scripted(SPORTS))
    async with open_cache(api, "redis://127.0.0.1:1/0") as cache:
        assert len(await cache.sports()) == len(await cache.sports()) == 1
    assert len(api.asked) == 2


async def test_warming_fetches_ahead_and_reports_failures(api: ScriptedApi, redis_url: str) -> None:
    api.set_answers(error(404, "UNKNOWN_SPORT", "Unknown sport"), Scripted(EVENTS))
    async with open_cache(api, redis_url) as cache:
        failed = await cache.warm(["icehockey_nhl", "soccer_epl"])
        asked = len(api.asked)
        [left] = {"icehockey_nhl", "soccer_epl"} - failed.keys()
        await cache.events(left)
    assert [type(e) for e in failed.values()] == [UnknownSportError]
    assert len(api.asked) == asked == 2


async def test_all_slowly_changing_endpoints_are_cached(api: ScriptedApi, redis_url: str) -> None:
    bare = {k: v for k, v in event().items() if k != "bookmakers"}
    async with open_cache(api, redis_url) as cache:
        calls: list[tuple[object, Callable[[], Awaitable[object]]]] = [
            ([bare | {"completed": False}], lambda: cache.scores("s", days_from=1)),
            ([{"full_name": "A", "id": "par_1"}], lambda: cache.participants("s")),
            (bare | {"bookmakers": []}, lambda: cache.event_markets("s", "e", regions=["us"])),
        ]
        for body, call in calls:
            api.set_answers(Scripted(msgspec.json.encode(body)))
            asked = len(api.asked)
            assert await call() == await call()
            assert len(api.asked) == asked + 1
