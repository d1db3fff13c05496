"""Answers that may be a little old, kept in Redis so that all processes share them."""

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
"""The longest that one caller may keep the others waiting for what it fetches."""

_log = logging.getLogger(__name__)


class ResponseCache:
    """Typed answers by key, for `ttl_seconds` (0: none are kept).

    Concurrent callers, in whatever process, fetch once.
    Without Redis everything is fetched: a cache must not take down what it speeds up.
    """

    def __init__(self, redis: Redis, ttl_seconds: int, namespace: str) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds
        self._namespace = namespace

    async def get(self, key: str, kind: type[T], fetch: Callable[[], Awaitable[T]]) -> T:
        """The kept answer, or a fetched one, which is then kept; errors of `fetch` are not."""
        if not self._ttl_seconds:
            return await fetch()
        name = f"{self._namespace}:{key}"
        if (cached := await self._read(name)) is not None:
            return msgspec.json.decode(cached, type=kind)
        async with self._single_flight(name):
            if (cached := await self._read(name)) is not None:
                return msgspec.json.decode(cached, type=kind)
            answer = await fetch()
            await self._store(name, msgspec.json.encode(answer))
        return answer

    async def _read(self, name: str) -> bytes | str | None:
        try:
            return await self._redis.get(name)
        except RedisError as error:
            _log.warning("no cached answers: %s", error)
            return None

    async def _store(self, name: str, body: bytes) -> None:
        try:
            await self._redis.set(name, body, ex=self._ttl_seconds)
        except RedisError as error:
            _log.warning("an answer could not be cached: %s", error)

    @asynccontextmanager
    async def _single_flight(self, name: str) -> AsyncIterator[None]:
        """Hold the right to fetch; without Redis, or after `MAX_FETCH_SECONDS`, go ahead all the same."""
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
    """The endpoints whose answers change slowly, by way of the cache."""

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
        """Which markets each book of the regions has."""
        return await self._cache.get(
            f"markets:{sport}:{event}:{','.join(regions)}",
            EventMarkets,
            lambda: self._client.event_markets(sport, event, regions=regions),
        )

    async def warm(self, sports: Iterable[str]) -> dict[str, OddsApiError]:
        """Fetch the events of these sports ahead of the first caller; what failed, by sport."""
        wanted = list(sports)
        outcomes = await asyncio.gather(*(self.events(sport) for sport in wanted), return_exceptions=True)
        failed: dict[str, OddsApiError] = {}
        for sport, outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, OddsApiError):
                _log.warning("%s could not be warmed: %s", sport, outcome)
                failed[sport] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return failed
