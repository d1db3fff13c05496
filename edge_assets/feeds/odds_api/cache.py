"""A response cache in Redis, shared by all processes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec
from redis.exceptions import LockError, RedisError

from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.wire import EventMarkets, Participant, WireEvent, WireScore, WireSport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from redis.asyncio import Redis
    from redis.asyncio.lock import Lock

    from edge_assets.feeds.odds_api.client import OddsApiClient

T = TypeVar("T")

MAX_FETCH_SECONDS = 60.0
"""How long one caller's fetch may block the others."""

_log = logging.getLogger(__name__)


class ResponseCache:
    """Typed responses by key, kept for `ttl_seconds` (0 disables the cache).

    Concurrent callers, also in different processes, fetch once. If Redis is down every call fetches.
    """

    def __init__(self, redis: Redis, ttl_seconds: int, namespace: str) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds
        self._namespace = namespace

    async def get(self, key: str, kind: type[T], fetch: Callable[[], Awaitable[T]]) -> T:
        """The cached response, or a fetched one, which is then cached; errors of `fetch` are not cached."""
        if not self._ttl_seconds:
            return await fetch()
        name = f"{self._namespace}:{key}"
        if (cached := await self._read(name)) is not None:
            return msgspec.json.decode(cached, type=kind)
        async with self._single_flight(name):
            if (cached := await self._read(name)) is not None:
                return msgspec.json.decode(cached, type=kind)
            response = await fetch()
            await self._store(name, msgspec.json.encode(response))
        return response

    async def _read(self, name: str) -> bytes | str | None:
        try:
            return await self._redis.get(name)
        except RedisError as error:
            _log.warning("cache unavailable: %s", error)
            return None

    async def _store(self, name: str, body: bytes) -> None:
        try:
            await self._redis.set(name, body, ex=self._ttl_seconds)
        except RedisError as error:
            _log.warning("could not cache the response: %s", error)

    @asynccontextmanager
    async def _single_flight(self, name: str) -> AsyncIterator[None]:
        """Hold the lock for a fetch; without Redis, or after `MAX_FETCH_SECONDS`, proceed without it."""
        lock = self._redis.lock(
            f"{name}:fetching", timeout=MAX_FETCH_SECONDS, blocking_timeout=MAX_FETCH_SECONDS, sleep=0.02
        )
        try:
            held = await lock.acquire()
        except RedisError:
            held = False
        try:
            yield
        finally:
            if held:
                await _release(lock)


async def _release(lock: Lock) -> None:
    try:
        await lock.release()
    except (LockError, RedisError) as error:
        _log.warning("a fetch took longer than its lock: %s", error)


class CachedOddsApi:
    """Cached access to the endpoints whose responses change slowly."""

    def __init__(self, client: OddsApiClient, cache: ResponseCache) -> None:
        self._client = client
        self._cache = cache

    async def sports(self) -> list[WireSport]:
        """The sports in season."""
        return await self._cache.get("sports", list[WireSport], self._client.sports)

    async def events(self, sport: str) -> list[WireEvent]:
        """The events of a sport."""
        return await self._cache.get(f"events:{sport}", list[WireEvent], lambda: self._client.events(sport))

    async def scores(self, sport: str, *, days_from: int | None = None) -> list[WireScore]:
        """Scores of live games, and of those completed in the last `days_from` days."""

        async def fetch() -> list[WireScore]:
            return (await self._client.scores(sport, days_from=days_from)).items

        return await self._cache.get(f"scores:{sport}:{days_from or 0}", list[WireScore], fetch)

    async def participants(self, sport: str) -> list[Participant]:
        """The teams or players of a sport."""
        return await self._cache.get(
            f"participants:{sport}", list[Participant], lambda: self._client.participants(sport)
        )

    async def event_markets(self, sport: str, event: str, *, regions: Sequence[str]) -> EventMarkets:
        """The markets of each book of the regions."""
        return await self._cache.get(
            f"markets:{sport}:{event}:{','.join(regions)}",
            EventMarkets,
            lambda: self._client.event_markets(sport, event, regions=regions),
        )

    async def warm(self, sports: Iterable[str]) -> dict[str, OddsApiError]:
        """Fetch the events of these sports ahead of the first caller; return failures by sport."""
        requested = list(sports)
        outcomes = await asyncio.gather(*(self.events(sport) for sport in requested), return_exceptions=True)
        failed: dict[str, OddsApiError] = {}
        for sport, outcome in zip(requested, outcomes, strict=True):
            if isinstance(outcome, OddsApiError):
                _log.warning("%s: could not preload events: %s", sport, outcome)
                failed[sport] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return failed
