"""The one reader of the alert stream per process: Redis for promptness, the database for certainty."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import psycopg
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from edge_assets.store.streams import ALERT_FIELD, ALERTS

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from serving.realtime.hub import Hub

log = logging.getLogger(__name__)

IDLE_MS = 2000
"""After so long without an entry the database is asked, in case a publication was lost."""
PATIENCE_SECONDS = 2.5
"""A stream that has not answered by then hangs."""
RETRY_SECONDS = 0.5
PAGE = 500
BATCH = 100
"""Stream entries a read; between two reads clients get their turn."""


class AlertLog(Protocol):
    """The alerts in the database, as the stream needs them."""

    async def last_id(self) -> int:
        """The newest alert's id, 0 if there is none."""
        ...

    async def since(self, alert_id: int, limit: int) -> list[dict[str, Any]]:
        """Messages behind an id, ascending."""
        ...


class StreamReader:
    """Feeds the hub.

    `redis` must not retry by itself: a reconnection it hides may hide a stream that was lost meanwhile.
    """

    def __init__(self, hub: Hub, redis: Redis, alerts: AlertLog) -> None:
        self._hub = hub
        self._redis = redis
        self._alerts = alerts

    async def run(self) -> None:
        """Broadcast alerts until cancelled, through any failure of Redis or the database."""
        while True:
            try:
                await self._catch_up()
                await self._follow()
            except (RedisError, psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("alert stream interrupted (%s); catching up from the database", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> None:
        if self._hub.position is None:
            self._hub.position = await self._alerts.last_id()
        while page := await self._alerts.since(self._hub.position, PAGE):
            for message in page:
                self._hub.broadcast(message["id"], msgspec.json.encode(message).decode())

    async def _follow(self) -> None:
        """Broadcast what the stream brings until it has been silent for a while."""
        while answer := await self._read_stream():
            for entry_id, fields in answer[0][1]:
                self._hub.broadcast(int(entry_id.partition(b"-")[0]), fields[ALERT_FIELD].decode())

    async def _read_stream(self) -> Any:
        """[[stream, [(entry id, fields), ...]]], empty after `IDLE_MS`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._redis.xread({ALERTS: f"{self._hub.position}-0"}, count=BATCH, block=IDLE_MS)
