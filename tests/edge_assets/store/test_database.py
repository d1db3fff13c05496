"""Which server it is, and a schema that many may ask for at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.script import ScriptDirectory

from edge_assets.store.postgres.database import connect, ensure_database, is_connection_lost, load_database_info
from edge_assets.store.postgres.schema import MIGRATIONS_DIR, NewerSchemaError, find_outdated_revision, upgrade
from ml.quotes import QuoteBatch
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness
    from tests.support.servers.postgres import PostgresServer

PARTITIONED = "SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY relname"


@pytest.fixture
def new_name(server: PostgresServer) -> Iterator[str]:
    """The name of a database that does not exist yet."""
    yield "brand_new"
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS brand_new WITH (FORCE)")


def test_connections_use_utc_and_state_their_application(conn: Connection) -> None:
    assert conn.autocommit
    assert conn.execute("SHOW timezone").fetchone() == ("UTC",)
    assert conn.execute("SHOW application_name").fetchone() == ("test",)


def test_the_engine_is_described_as_it_is(conn: Connection, request: pytest.FixtureRequest) -> None:
    info = load_database_info(conn)

    if "timescale" in request.node.name:
        assert (info.engine, info.hypertables) == ("TimescaleDB", True)
        assert info.edition in {"apache", "timescale"}
        assert conn.execute(PARTITIONED).fetchall() == []
    else:
        assert (info.engine, info.hypertables, info.edition) == ("PostgreSQL", False, None)
        assert conn.execute(PARTITIONED).fetchall() == [("odds_ticks",), ("payloads",)]
    assert info.version[0].isdigit()


def test_a_day_is_a_chunk_of_each_hypertable(harness: StoreHarness) -> None:
    if not load_database_info(harness.conn).hypertables:
        pytest.skip("native partitions have their own tests")
    for day in range(3):
        harness.write(NOON + timedelta(days=day), QuoteBatch.from_rows([harness.quote()]))

    chunks = harness.conn.execute(
        "SELECT hypertable_name, count(*) FROM timescaledb_information.chunks GROUP BY 1 ORDER BY 1"
    )
    assert chunks.fetchall() == [("odds_ticks", 3), ("payloads", 3)]
    in_parent = harness.conn.execute("SELECT (SELECT count(*) FROM ONLY odds_ticks), (SELECT count(*) FROM odds_ticks)")
    assert in_parent.fetchone() == (0, 3)


def test_a_database_is_created_and_migrated_once_by_many(server: PostgresServer, new_name: str) -> None:
    def start(_: int) -> str:
        url = ensure_database(server.url, new_name)
        upgrade(url)
        return url

    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(start, range(4)))

    assert urls == {f"{server.url.rpartition('/')[0]}/{new_name}"}
    with connect(urls.pop(), "test") as conn:
        newest = ScriptDirectory(str(MIGRATIONS_DIR)).get_current_head()
        assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]
        assert conn.execute("SELECT count(*) FROM markets").fetchone() == (8,)


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str, conn: Connection) -> None:
    conn.execute("INSERT INTO sports (key, title) VALUES ('soccer_epl', 'EPL')")

    upgrade(database_url)

    assert conn.execute("SELECT key FROM sports").fetchall() == [("soccer_epl",)]


def test_an_unfinished_upgrade_leaves_nothing(
    server: PostgresServer, new_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = ensure_database(server.url, new_name)
    with monkeypatch.context() as patch:
        patch.setattr("ml.quotes.FIRST_DYNAMIC_ID", "no number")
        with pytest.raises(Exception, match="syntax error"):
            upgrade(url)

    upgrade(url)

    with connect(url, "test") as conn:
        assert conn.execute("SELECT count(*) FROM outcomes").fetchone() == (7,)


def test_a_database_of_a_newer_version_is_reported_in_one_sentence(database_url: str, conn: Connection) -> None:
    assert find_outdated_revision(database_url) is None
    conn.execute("UPDATE alembic_version SET version_num = '0001'")
    assert find_outdated_revision(database_url) == "0001"
    conn.execute("UPDATE alembic_version SET version_num = '9999'")
    for ask in (find_outdated_revision, upgrade):
        with pytest.raises(
            NewerSchemaError, match="was migrated by a newer version: schema 9999 is unknown to this one"
        ):
            ask(database_url)


def test_a_database_without_a_schema_has_nothing_to_keep(server: PostgresServer, new_name: str) -> None:
    assert find_outdated_revision(ensure_database(server.url, new_name)) is None


@pytest.mark.parametrize("key", ["a\x00b", "\ud83d"], ids=["NUL", "half"])
def test_a_value_that_cannot_be_stored_is_not_a_lost_connection(conn: Connection, key: str) -> None:
    with pytest.raises((psycopg.DataError, UnicodeEncodeError)) as raised:
        conn.execute("INSERT INTO markets (key) VALUES (%s)", [key])
    assert not isinstance(raised.value, psycopg.Error) or not is_connection_lost(raised.value)


def test_a_text_too_long_for_an_index_is_not_a_lost_connection(conn: Connection) -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=40_000))
    with pytest.raises(psycopg.OperationalError) as raised:
        conn.execute("INSERT INTO markets (key) VALUES (%s)", [noise])
    assert not is_connection_lost(raised.value)


def test_a_backend_that_is_gone_is_a_lost_connection(conn: Connection) -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_connection_lost(raised.value)
    with pytest.raises(psycopg.OperationalError) as again:
        conn.execute("SELECT 1")
    assert is_connection_lost(again.value)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (psycopg.errors.DiskFull, False),
        (psycopg.errors.ProgramLimitExceeded, False),
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.NumericValueOutOfRange, False),
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.CannotConnectNow, True),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.DeadlockDetected, True),
        (psycopg.InterfaceError, True),
    ],
)
def test_only_transient_errors_are_lost_connections(error: type[psycopg.Error], lost: bool) -> None:
    assert is_connection_lost(error("some reason")) is lost
