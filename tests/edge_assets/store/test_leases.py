"""One burst a sport, whatever dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.database import connect
from edge_assets.store.leases import Lease, held, hold_scorer
from tests.edge_assets.store.material import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.servers.postgres import PostgresServer

NFL = "americanfootball_nfl"


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """Another process's connection."""
    with connect(database_url, "other") as connection:
        yield connection


def test_only_one_of_many_contenders_gets_it(desk: Desk, database_url: str) -> None:
    connections = [connect(database_url, "contender") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        leases = list(
            pool.map(lambda c: Lease.try_acquire(c[1], desk.sport, f"run-{c[0]}", 60), enumerate(connections))
        )

    (winner,) = [lease for lease in leases if lease]
    assert held(desk.conn)[NFL].run_id == winner.run_id
    assert held(desk.conn)[NFL].live
    for connection in connections:
        connection.close()


def test_sports_are_leased_apart(desk: Desk, other: Connection) -> None:
    assert Lease.try_acquire(desk.conn, desk.sport, "run-1", 60)
    assert Lease.try_acquire(other, desk.other_sport, "run-2", 60)
    assert {sport: lease.run_id for sport, lease in held(other).items()} == {NFL: "run-1", "icehockey_nhl": "run-2"}


def test_it_says_when_it_expects_to_hand_over(desk: Desk) -> None:
    Lease.try_acquire(desk.conn, desk.sport, "run-1", 90)

    lease = held(desk.conn)[NFL]
    assert round((lease.handover_at - lease.acquired_at).total_seconds()) == 90


def test_the_loser_claims_it_and_the_holder_hears_of_it(desk: Desk, other: Connection) -> None:
    lease = Lease.try_acquire(desk.conn, desk.sport, "run-1", 60)
    assert lease is not None
    assert lease.heartbeat() is None

    assert Lease.try_acquire(other, desk.sport, "run-2", 60) is None
    assert lease.heartbeat() == "run-2"
    assert held(other)[NFL].claimed_by == "run-2"

    lease.release()
    successor = Lease.try_acquire(other, desk.sport, "run-2", 60)
    assert successor is not None
    assert successor.heartbeat() is None
    assert held(other)[NFL].run_id == "run-2"


def test_a_heartbeat_is_seen(desk: Desk) -> None:
    lease = Lease.try_acquire(desk.conn, desk.sport, "run-1", 60)
    assert lease is not None
    before = held(desk.conn)[NFL].heartbeat_at

    lease.heartbeat()

    assert held(desk.conn)[NFL].heartbeat_at > before


def test_it_dies_with_its_connection(desk: Desk, database_url: str, other: Connection) -> None:
    dying = connect(database_url, "dying")
    assert Lease.try_acquire(dying, desk.sport, "run-1", 60)
    other.execute("SELECT pg_terminate_backend(%s, 5000)", [dying.info.backend_pid])
    dying.close()

    assert not held(other)[NFL].live
    assert Lease.try_acquire(other, desk.sport, "run-2", 60)
    assert held(other)[NFL].live


def test_a_released_lease_is_not_live(desk: Desk) -> None:
    lease = Lease.try_acquire(desk.conn, desk.sport, "run-1", 60)
    assert lease is not None

    lease.release()

    assert not held(desk.conn)[NFL].live


def test_leases_of_another_database_do_not_count(desk: Desk, server: PostgresServer, store_template: str) -> None:
    with server.clone_of(store_template) as url, connect(url, "elsewhere") as elsewhere:
        namesake = Desk(elsewhere)
        assert Lease.try_acquire(elsewhere, namesake.sport, "run-1", 60)
        assert Lease.try_acquire(desk.conn, desk.sport, "run-2", 60)
        assert held(desk.conn)[NFL].run_id == "run-2"


def test_a_second_scorer_waits_until_the_first_is_gone(database_url: str, conn: Connection) -> None:
    first, got_it = connect(database_url, "first"), Event()
    hold_scorer(first)

    def second() -> None:
        hold_scorer(conn)
        got_it.set()

    waiting = Thread(target=second)
    waiting.start()
    assert not got_it.wait(0.2)
    first.close()
    assert got_it.wait(5)
    waiting.join()
