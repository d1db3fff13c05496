"""Connections, and information about the server."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.rows import kwargs_row, scalar_row

if TYPE_CHECKING:
    from psycopg import Connection

REJECTED_CONTENT_SQLSTATE_CLASSES = frozenset({"22", "23", "54"})
"""SQLSTATE classes of rejected content: data, integrity, limits."""
RETRYABLE_SQLSTATE_CLASSES = frozenset({"08", "28", "40"})
"""SQLSTATE classes of failed or refused connections, and of transactions aborted for others."""
SERVER_UNAVAILABLE_SQLSTATES = frozenset({"25006", "53300", "57P01", "57P02", "57P03", "57P05"})
"""Standby, no connection left, shut down by a person or a crash, starting, idle for too long."""
COMMUNITY_EDITION = "timescale"
"""The community edition, by the name of its license."""
SELECT_TIMESCALE_INFO = """
SELECT
    extversion AS version,
    current_setting('timescaledb.license') AS edition,
    ticks.hypertable_name IS NOT NULL AS hypertables,
    coalesce(ticks.compression_enabled, false) AS compression,
    EXISTS (
        SELECT FROM timescaledb_information.continuous_aggregates WHERE view_name = 'price_candles'
    ) AS continuous_aggregate
FROM pg_extension
LEFT JOIN timescaledb_information.hypertables AS ticks ON ticks.hypertable_name = 'odds_ticks'
WHERE extname = 'timescaledb'
"""


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What `edge doctor` and `edge status` show about the server.

    `engine` is "PostgreSQL" or "TimescaleDB", `version` that engine's; `edition` is "apache" or "timescale"
    (community) for TimescaleDB; `hypertables` whether ticks live in one rather than in native partitions;
    `compression` whether old ticks are compressed; `continuous_aggregate` whether `price_candles` is one rather than
    a view.
    """

    engine: str
    version: str
    edition: str | None = None
    hypertables: bool = False
    compression: bool = False
    continuous_aggregate: bool = False

    @property
    def summary(self) -> str:
        """All of it in a line."""
        parts = [f"{self.engine} {self.version}"]
        parts += [f"{self.edition} edition"] if self.edition else []
        parts.append("hypertables" if self.hypertables else "native partitions")
        parts += ["old ticks compressed"] if self.compression else []
        parts.append("candles from a continuous aggregate" if self.continuous_aggregate else "candles from a view")
        return ", ".join(parts)


def connect(url: str, application_name: str) -> Connection:
    """A connection in autocommit mode and UTC; writers open their transactions themselves."""
    return psycopg.connect(
        url, autocommit=True, application_name=application_name, options="-c timezone=UTC", connect_timeout=10
    )


def is_connection_lost(error: psycopg.Error) -> bool:
    """Whether to reconnect and retry: the connection broke, or the server is stopping or starting.

    psycopg's `OperationalError` also covers a text too long for an index, and a full disk.
    """
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    sqlstate = error.sqlstate
    return sqlstate is None or sqlstate[:2] in RETRYABLE_SQLSTATE_CLASSES or sqlstate in SERVER_UNAVAILABLE_SQLSTATES


def is_content_rejected(error: psycopg.Error) -> bool:
    """Whether the server rejects the content itself, so that a retry is useless."""
    return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] in REJECTED_CONTENT_SQLSTATE_CLASSES


def ensure_database(url: str, name: str) -> str:
    """Create database `name` on the server of `url` if it is missing; return its URL."""
    target = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as conn:
        exists = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            ignoring_concurrent_create = suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
            with ignoring_concurrent_create:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return target


def load_database_info(conn: Connection) -> DatabaseInfo:
    """Load the engine, its version and its features in use."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        if not cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            version = cursor.execute("SHOW server_version").fetchone()
            return DatabaseInfo("PostgreSQL", str(version).split()[0])
    with conn.cursor(row_factory=kwargs_row(partial(DatabaseInfo, "TimescaleDB"))) as info_cursor:
        return info_cursor.execute(SELECT_TIMESCALE_INFO).fetchall()[0]
