"""Connections, the schema, and which kind of server it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.rows import scalar_row

if TYPE_CHECKING:
    from psycopg import Connection

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x0ED6E
"""Advisory lock that lets one process at a time migrate."""


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What `edge doctor` and `edge status` say of the server.

    `engine` is "PostgreSQL" or "TimescaleDB", `version` that engine's; `edition` is "apache" or "timescale"
    (community) for TimescaleDB; `hypertables` whether ticks live in one rather than in native partitions.
    """

    engine: str
    version: str
    edition: str | None
    hypertables: bool


def connect(url: str, application_name: str) -> Connection:
    """A connection in autocommit mode and UTC; writers open their transactions themselves."""
    return psycopg.connect(
        url, autocommit=True, application_name=application_name, options="-c timezone=UTC", connect_timeout=10
    )


def ensure_database(url: str, name: str) -> str:
    """Create database `name` on the server of `url` if it is missing; return its URL."""
    target = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as conn:
        exists = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            somebody_was_quicker = suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
            with somebody_was_quicker:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return target


def upgrade(url: str) -> None:
    """Bring the schema of the database at `url` to the newest revision, once, however many try together."""
    engine = sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=sqlalchemy.NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def describe(conn: Connection) -> DatabaseInfo:
    """Which engine this is."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        timescale = cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        if timescale is None:
            version = cursor.execute("SHOW server_version").fetchone()
            return DatabaseInfo("PostgreSQL", str(version).split()[0], None, hypertables=False)
        edition = cursor.execute("SHOW timescaledb.license").fetchone()
        hypertables = cursor.execute(
            "SELECT count(*) > 0 FROM timescaledb_information.hypertables WHERE hypertable_name = 'odds_ticks'"
        ).fetchone()
    return DatabaseInfo("TimescaleDB", str(timescale), str(edition), hypertables=bool(hypertables))
