"""The schema is the same wherever it comes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from alembic.script import ScriptDirectory

from edge_assets.store.database import MIGRATIONS, connect, describe, ensure_database, upgrade

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from psycopg import Connection

    from tests.servers.postgres import PostgresServer

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'public' AND table_name !~ '_[0-9]{8}$' AND table_name <> 'alembic_version'
ORDER BY table_name, ordinal_position
"""


def test_both_engines_have_the_same_names_and_types(
    postgres_server: PostgresServer, timescale_server: PostgresServer
) -> None:
    found = []
    for server in (postgres_server, timescale_server):
        url = ensure_database(server.url, "same_names")
        upgrade(url)
        with connect(url, "test") as conn:
            found.append(conn.execute(COLUMNS).fetchall())

    assert found[0] == found[1]
    assert {"odds_ticks", "polls", "payloads", "alerts", "alert_messages"} <= {row[0] for row in found[0]}


def test_ticks_carry_one_index(conn: Connection) -> None:
    names = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'odds_ticks'").fetchall()

    assert names == [("odds_ticks_event",)]


def test_a_password_with_every_sign_reaches_the_server(server: PostgresServer) -> None:
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("CREATE ROLE guest SUPERUSER LOGIN PASSWORD 'p%s/@:?#'")
        url = server.url.replace("postgres@", "guest:p%25s%2F%40%3A%3F%23@", 1)
        upgrade(ensure_database(url, "of_a_guest"))
        conn.execute("DROP DATABASE of_a_guest")
        conn.execute("DROP ROLE guest")


def test_it_comes_up_from_any_folder(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = ensure_database(server.url, "elsewhere")

    upgrade(url)

    with connect(url, "test") as conn:
        newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)


def test_timescaledb_that_is_installed_but_not_loaded_is_none(
    unloaded_timescale_server: PostgresServer,
) -> None:
    upgrade(unloaded_timescale_server.url)

    with connect(unloaded_timescale_server.url, "test") as conn:
        assert describe(conn).engine == "PostgreSQL"
