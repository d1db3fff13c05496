"""The embedded database without a stack, for the time of one command."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.core.settings import Settings
from edge_assets.local.embedded_database import open_database
from edge_assets.local.errors import LocalError
from edge_assets.local.plan import Plan
from edge_assets.local.status import load_status
from edge_assets.local.survivors import find_stack_processes

if TYPE_CHECKING:
    from edge_assets.local.home import Home


def test_it_runs_under_the_lock_and_is_stopped(home: Home) -> None:
    with open_database(home, Settings()) as url:
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT current_database()").fetchone() == ("edge_simulate",)
        assert not load_status(home)["running"], "a database is not a stack"
        refused = pytest.raises(LocalError, match=rf"another edge command \(pid {os.getpid()}\) is using")
        with refused, open_database(home, Settings()):
            pass
    assert list(find_stack_processes(home)) == []
    assert Plan.load(home) is None


def test_it_is_stopped_after_an_error_and_keeps_its_data(home: Home) -> None:
    with suppress(ZeroDivisionError), open_database(home, Settings()) as url:
        with psycopg.connect(url) as conn:
            conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
        raise ZeroDivisionError
    assert list(find_stack_processes(home)) == []
    with open_database(home, Settings()) as url, psycopg.connect(url) as conn:
        assert conn.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_server_that_does_not_start_is_reported(home: Home) -> None:
    with open_database(home, Settings()):
        pass
    (home.postgres / "postgresql.conf").write_text("nonsense = 1\n")
    failed = pytest.raises(LocalError, match=r"database does not start; last log lines:\n.*\"nonsense\"")
    with failed as caught, open_database(home, Settings()):
        pass
    assert "postgres.log" in caught.value.remedy
    assert list(find_stack_processes(home)) == []
