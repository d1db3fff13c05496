"""Long-lived resources of the application: connection pool, Redis clients, hub."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from psycopg_pool import ConnectionPool
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from edge_assets.core.tokens import signing_secret
from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from serving.realtime.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from edge_assets.core.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

POOL_SIZE = 8
POOL_TIMEOUT_SECONDS = 2.0
"""How long a request waits for a connection before the database counts as unavailable."""
CACHE_TIMEOUT_SECONDS = 0.5
"""The cache must be faster than computing the response."""
STREAM_TIMEOUT_SECONDS = 5.0
SESSION_OPTIONS = "-c timezone=UTC -c default_transaction_read_only=on"


class AlertRepository:
    """The alerts in the database, read in a thread."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def last_id(self) -> int:
        """The newest alert's id, 0 if there is none."""
        return await asyncio.to_thread(run_in_pool, self._pool, lookups.load_last_alert_id)

    async def since(self, alert_id: int, limit: int) -> list[dict[str, Any]]:
        """Messages after an id, ascending."""
        return await asyncio.to_thread(run_in_pool, self._pool, alert_log.load_messages_since, alert_id, limit)


def run_in_pool(
    pool: ConnectionPool, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a query of the store on a pooled connection."""
    with pool.connection() as conn:
        return query(conn, *args, **kwargs)


@dataclass(frozen=True)
class Resources:
    """What lives longer than a request."""

    settings: Settings
    secret: str
    pool: ConnectionPool
    cache: Redis
    stream: Redis
    hub: Hub = field(default_factory=Hub)

    @classmethod
    def from_settings(cls, settings: Settings) -> Resources:
        """Create the resources without connecting. Raises `MissingSettingError` for a missing setting."""
        pool = ConnectionPool(
            settings.require_database_url(),
            kwargs={"application_name": "serving", "autocommit": True, "options": SESSION_OPTIONS},
            min_size=1,
            max_size=POOL_SIZE,
            timeout=POOL_TIMEOUT_SECONDS,
            check=ConnectionPool.check_connection,
            open=False,
        )
        no_retry = Retry(NoBackoff(), 0)
        url = settings.require_redis_url()
        cache = Redis.from_url(
            url, socket_timeout=CACHE_TIMEOUT_SECONDS, socket_connect_timeout=CACHE_TIMEOUT_SECONDS, retry=no_retry
        )
        stream = Redis.from_url(url, socket_timeout=STREAM_TIMEOUT_SECONDS, retry=no_retry)
        return cls(settings, signing_secret(settings), pool, cache, stream)

    @property
    def alerts(self) -> AlertRepository:
        """The alerts in the database."""
        return AlertRepository(self.pool)
