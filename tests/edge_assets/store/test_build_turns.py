"""One build of a database's warehouse at a time; the next one reports which process it waits for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.analytics.build_lock import ActiveBuild, find_active_build, hold_build_lock
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from psycopg import Connection


def nobody_else(builder: ActiveBuild | None) -> None:
    """Who builds alone waits for nobody."""
    pytest.fail(f"waits for {builder}")


def test_the_second_builder_waits_and_names_the_first(conn: Connection, database_url: str) -> None:
    asked, reported = Event(), list[ActiveBuild | None]()

    def note(builder: ActiveBuild | None) -> None:
        reported.append(builder)
        asked.set()

    def build_second() -> str | None:
        with hold_build_lock(database_url, "second", note), connect(database_url, "test") as other:
            builder = find_active_build(other)
            return builder and builder.name

    with ThreadPoolExecutor(1) as pool:
        with hold_build_lock(database_url, "first", nobody_else):
            second = pool.submit(build_second)
            assert asked.wait(30)
            assert not second.done()
        assert second.result(30) == "second"
    assert [builder and builder.name for builder in reported] == ["first"]
    assert find_active_build(conn) is None


def test_a_builder_that_fails_gives_its_turn_back(database_url: str) -> None:
    with pytest.raises(ZeroDivisionError), hold_build_lock(database_url, "first", nobody_else):
        raise ZeroDivisionError
    with hold_build_lock(database_url, "second", nobody_else):
        pass
