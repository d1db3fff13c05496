"""Checks that external servers are reachable, before anything is started that would wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import redis

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from edge_assets.core.settings import Settings

CONNECT_TIMEOUT_SECONDS = 5


def check_servers(settings: Settings) -> None:
    """Raise `LocalError` if the configured database or Redis does not answer."""
    if settings.database_url:
        check_database(settings.database_url)
    if settings.redis_url:
        check_redis(settings.redis_url)


def check_database(url: str) -> None:
    """Raise `LocalError` if no database answers at `url`."""
    try:
        psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_SECONDS).close()
    except (psycopg.Error, UnicodeError) as error:
        raise database_unreachable_error(url, error) from None


def check_redis(url: str) -> None:
    """Raise `LocalError` if no Redis answers at `url`."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=CONNECT_TIMEOUT_SECONDS, socket_connect_timeout=CONNECT_TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError, TypeError) as error:
        msg = f"REDIS_URL: no Redis answers at {server_address(url)}: {driver_message(error)}"
        raise LocalError(msg, "check REDIS_URL, and that the server runs; run `edge doctor` for details") from None


def database_unreachable_error(url: str, error: Exception) -> LocalError:
    """The error for a database that does not answer."""
    parts = urlsplit(url)
    reason = driver_message(error)
    if reason.startswith("FATAL:"):
        reason = reason.removeprefix("FATAL:").strip()
        msg = f"the database server at {server_address(url)} refused the connection: {reason}"
    else:
        msg = f"the database {parts.path[1:]} at {server_address(url)} does not answer: {reason}"
    return LocalError(msg, "check DATABASE_URL, or start one with `edge up`; run `edge doctor` for details")


def server_address(url: str) -> str:
    """Host and port of a URL, without user and password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'the local socket'}{port}"


def driver_message(error: Exception) -> str:
    """The essential line of a driver's error, without the password; its class name if it has no message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    messages = [line for line in lines if not line.startswith(("Is the server running", "Multiple connection", "- "))]
    return messages[0].rsplit("failed: ", 1)[-1] if messages else type(error).__name__
