"""Imports are tested on both engines, each with an empty database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer


@pytest.fixture(scope="session", params=["postgres_server", "timescale_server"], ids=["native", "timescale"])
def engine(request: pytest.FixtureRequest) -> PostgresServer:
    """PostgreSQL, then TimescaleDB."""
    found: PostgresServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def import_template(engine: PostgresServer) -> str:
    """A migrated database to clone."""
    upgrade(ensure_database(engine.url, "import_template"))
    return "import_template"


@pytest.fixture
def either_url(engine: PostgresServer, import_template: str) -> Iterator[str]:
    """An empty database on each engine."""
    with engine.clone_of(import_template) as url:
        yield url


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """A connection to an empty database."""
    with connect(database_url, "test") as connection:
        yield connection
