"""Dumps before migrations, and their restoration."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from edge_assets.local import dumps
from edge_assets.local.dumps import dump_database
from edge_assets.local.errors import LocalError
from edge_assets.local.plan import with_database
from edge_assets.local.postgres import binary_dir
from edge_assets.store.postgres.database import ensure_database

if TYPE_CHECKING:
    from tests.support.embedded_servers import Servers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(servers: Servers) -> str:
    url = ensure_database(servers.database_url, "edge_dumped")
    with psycopg.connect(url) as conn:
        conn.execute("DROP TABLE IF EXISTS kept")
        conn.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    return url


def test_a_dump_restores_every_row(servers: Servers, database: str) -> None:
    path = dump_database(servers.home, database, "0016", NOW)
    assert path.name == "edge_dumped-0016-20260301T120000.dump"
    assert path.parent.stat().st_mode & 0o077 == 0
    ensure_database(servers.database_url, "edge_restored")
    parts = urlsplit(database)
    place = ["--host", str(parts.hostname), "--port", str(parts.port), "--username", str(parts.username)]
    command = [
        str(binary_dir() / "pg_restore"),
        "--clean",
        "--if-exists",
        *place,
        "--dbname",
        "edge_restored",
        str(path),
    ]
    subprocess.run(command, env={**os.environ, "PGPASSWORD": str(parts.password)}, check=True)
    with psycopg.connect(with_database(database, "edge_restored")) as conn:
        assert conn.execute("SELECT count(*), sum(n) FROM kept").fetchone() == (1000, 500_500)


def test_the_newest_dumps_of_a_database_are_kept(servers: Servers, database: str) -> None:
    (servers.home.dumps / "edge_other-0001-20200101T000000.dump").touch()
    for day in range(1, 6):
        dump_database(servers.home, database, f"{10 + day:04}", NOW + timedelta(days=day))
    names = sorted(path.name for path in servers.home.dumps.iterdir())
    assert names == [
        "edge_dumped-0013-20260304T120000.dump",
        "edge_dumped-0014-20260305T120000.dump",
        "edge_dumped-0015-20260306T120000.dump",
        "edge_other-0001-20200101T000000.dump",
    ]


def test_without_disk_space_it_fails_and_leaves_no_file(
    servers: Servers, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "MIN_FREE_DISK_BYTES", 2**60)
    before = set(servers.home.dumps.iterdir()) if servers.home.dumps.exists() else set()
    with pytest.raises(LocalError, match="cannot dump the database before migrating it: only"):
        dump_database(servers.home, database, "0016", NOW)
    assert set(servers.home.dumps.iterdir()) == before
