"""The store is tested on both engines: native partitions and hypertables answer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.support.poll_factories import StoreHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

TEMPLATE = "store_template"


@pytest.fixture(scope="session", params=["postgres_server", "timescale_server"], ids=["native", "timescale"])
def server(request: pytest.FixtureRequest) -> PostgresServer:
    """One engine after the other."""
    found: PostgresServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def store_template(server: PostgresServer) -> str:
    """A migrated database to clone."""
    upgrade(ensure_database(server.url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(server: PostgresServer, store_template: str) -> Iterator[str]:
    """A migrated, empty database of the test's own, on each engine."""
    with server.clone_of(store_template) as url:
        yield url


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """A connection to it."""
    with connect(database_url, "test") as connection:
        yield connection


@pytest.fixture
def harness(conn: Connection) -> StoreHarness:
    """A hand that writes polls."""
    return StoreHarness(conn)
