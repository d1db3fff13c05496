"""The one reader of the alert stream per process: Redis for promptness, the database for certainty."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import psycopg
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from edge_assets.store.alerts.streams import ALERTS_STREAM, decode_alert_message

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from serving.realtime.hub import Hub

log = logging.getLogger(__name__)

BLOCK_MS = 2000
"""After this long without an entry the database is queried, in case a publication was lost."""
READ_TIMEOUT_SECONDS = 2.5
"""A read that takes longer is treated as hanging."""
RETRY_SECONDS = 0.5
CATCH_UP_PAGE_ALERTS = 500
MAX_ENTRIES_PER_READ = 100
"""Stream entries per read; clients are served between reads."""
OUTAGE_ERRORS = (RedisError, psycopg.Error, PoolTimeout, OSError)


class AlertLog(Protocol):
    """The alerts in the database, as the stream needs them."""

    async def last_id(self) -> int:
        """The newest alert's id, 0 if there is none."""
        ...

    async def since(self, alert_id: int, limit: int) -> list[dict[str, Any]]:
        """Messages after an id, ascending."""
        ...


class StreamReader:
    """Feeds the hub.

    `redis` must not retry by itself: a reconnection it hides may hide a stream that was lost meanwhile.
    """

    def __init__(self, hub: Hub, redis: Redis, alerts: AlertLog) -> None:
        self._hub = hub
        self._redis = redis
        self._alerts = alerts
        self._last_error = ""
        self._last_foreign = (0, 0)

    async def run(self) -> None:
        """Broadcast alerts until cancelled, through any failure of Redis or the database, or of this code."""
        while True:
            try:
                await self._catch_up()
                await self._follow()
            except Exception as error:  # if this task died, the stream would still seem live
                self._log_interruption(error)
                await asyncio.sleep(RETRY_SECONDS)

    def _log_interruption(self, error: Exception) -> None:
        """Log an error that is not an outage with its traceback, once while it stays the same."""
        is_new = repr(error) != self._last_error and not isinstance(error, OUTAGE_ERRORS)
        self._last_error = repr(error)
        log.warning(
            "alert stream interrupted (%s); catching up from the database", type(error).__name__, exc_info=is_new
        )

    async def _catch_up(self) -> None:
        if self._hub.position is None:
            self._hub.position = await self._alerts.last_id()
        while page := await self._alerts.since(self._hub.position, CATCH_UP_PAGE_ALERTS):
            for message in page:
                self._hub.broadcast(message["id"], msgspec.json.encode(message).decode())
        self._hub.read_at = time.monotonic()

    async def _follow(self) -> None:
        """Broadcast what the stream brings until it has been silent for a while."""
        after = b"%d-0" % (self._hub.position or 0)
        while response := await self._read_stream(after):
            for after, fields in response[0][1]:
                if alert := decode_alert_message(after, fields):
                    self._hub.broadcast(*alert)
                else:
                    self._count_foreign(after)
            self._hub.read_at = time.monotonic()

    def _count_foreign(self, entry_id: bytes) -> None:
        """Count an entry that is not an alert, once: while it is the newest, every read of the stream returns it."""
        milliseconds, _, number = entry_id.partition(b"-")
        if (position := (int(milliseconds), int(number))) > self._last_foreign:
            self._last_foreign = position
            self._hub.foreign_entries += 1
            log.warning("ignoring entry %s of %s: not an alert", entry_id.decode(), ALERTS_STREAM)

    async def _read_stream(self, after: bytes) -> Any:
        """[[stream, [(entry id, fields), ...]]] after an entry, empty after `BLOCK_MS`."""
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            return await self._redis.xread({ALERTS_STREAM: after}, count=MAX_ENTRIES_PER_READ, block=BLOCK_MS)
