"""Every kind of server that the schema comes up on: PostgreSQL 15 to 18, and both editions of TimescaleDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.conftest import absent
from tests.support.servers import npm, postgres
from tests.support.servers.pglite import PgliteServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgres import PostgresServer

SHARED = {"postgresql-18": "postgres_server", "apache": "timescale_server", "community": "community_server"}
TEMPLATE = "editions_template"
RECORDED = "sports, books, events, event_starts, polls, payloads, odds_ticks"


@pytest.fixture(scope="session", params=["postgresql-15", "postgresql-16", "postgresql-17", *SHARED])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer | PgliteServer]:
    """One server after the other."""
    if shared := SHARED.get(request.param):
        yield request.getfixturevalue(shared)
        return
    if lacking := npm.missing_binaries():
        absent(lacking)
    programs = npm.modules() / request.param / "native" / "bin"
    yield from postgres.running(tmp_path_factory.mktemp(request.param), programs)


@pytest.fixture(scope="session")
def store_template(server: PostgresServer | PgliteServer) -> str:
    """The migrated database: to clone, or the only one."""
    if isinstance(server, PgliteServer):
        upgrade(server.url)
        return "postgres"
    upgrade(ensure_database(server.url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(server: PostgresServer | PgliteServer, store_template: str) -> Iterator[str]:
    """A migrated, empty database of the test's own, on each kind of server."""
    if isinstance(server, PgliteServer):
        with connect(server.url, "test") as conn:
            conn.execute(f"TRUNCATE {RECORDED} RESTART IDENTITY CASCADE")
        yield server.url
    else:
        with server.clone_of(store_template) as url:
            yield url
