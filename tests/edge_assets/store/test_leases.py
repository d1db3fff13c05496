"""One burst a sport, whatever dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.polls.leases import Lease, acquire_scorer_lock, load_leases
from edge_assets.store.postgres.database import connect
from tests.support.poll_factories import StoreHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

NFL = "americanfootball_nfl"


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """Another process's connection."""
    with connect(database_url, "other") as connection:
        yield connection


def test_only_one_of_many_contenders_gets_the_lease(harness: StoreHarness, database_url: str) -> None:
    connections = [connect(database_url, "contender") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        leases = list(
            pool.map(lambda c: Lease.try_acquire(c[1], harness.sport, f"run-{c[0]}", 60), enumerate(connections))
        )

    (winner,) = [lease for lease in leases if lease]
    assert load_leases(harness.conn)[NFL].run_id == winner.run_id
    assert load_leases(harness.conn)[NFL].live
    for connection in connections:
        connection.close()


def test_sports_are_leased_separately(harness: StoreHarness, other: Connection) -> None:
    assert Lease.try_acquire(harness.conn, harness.sport, "run-1", 60)
    assert Lease.try_acquire(other, harness.other_sport, "run-2", 60)
    assert {sport: lease.run_id for sport, lease in load_leases(other).items()} == {
        NFL: "run-1",
        "icehockey_nhl": "run-2",
    }


def test_a_lease_states_when_it_expects_to_hand_over(harness: StoreHarness) -> None:
    Lease.try_acquire(harness.conn, harness.sport, "run-1", 90)

    lease = load_leases(harness.conn)[NFL]
    assert round((lease.handover_at - lease.acquired_at).total_seconds()) == 90


def test_the_loser_claims_the_lease_and_the_holder_is_notified(harness: StoreHarness, other: Connection) -> None:
    lease = Lease.try_acquire(harness.conn, harness.sport, "run-1", 60)
    assert lease is not None
    assert lease.heartbeat() is None

    assert Lease.try_acquire(other, harness.sport, "run-2", 60) is None
    assert lease.heartbeat() == "run-2"
    assert load_leases(other)[NFL].claimed_by == "run-2"

    lease.release()
    successor = Lease.try_acquire(other, harness.sport, "run-2", 60)
    assert successor is not None
    assert successor.heartbeat() is None
    assert load_leases(other)[NFL].run_id == "run-2"


def test_a_heartbeat_is_seen(harness: StoreHarness) -> None:
    lease = Lease.try_acquire(harness.conn, harness.sport, "run-1", 60)
    assert lease is not None
    before = load_leases(harness.conn)[NFL].heartbeat_at

    lease.heartbeat()

    assert load_leases(harness.conn)[NFL].heartbeat_at > before


def test_a_lease_ends_with_its_connection(harness: StoreHarness, database_url: str, other: Connection) -> None:
    dying = connect(database_url, "dying")
    assert Lease.try_acquire(dying, harness.sport, "run-1", 60)
    other.execute("SELECT pg_terminate_backend(%s, 5000)", [dying.info.backend_pid])
    dying.close()

    assert not load_leases(other)[NFL].live
    assert Lease.try_acquire(other, harness.sport, "run-2", 60)
    assert load_leases(other)[NFL].live


def test_a_released_lease_is_not_live(harness: StoreHarness) -> None:
    lease = Lease.try_acquire(harness.conn, harness.sport, "run-1", 60)
    assert lease is not None

    lease.release()

    assert not load_leases(harness.conn)[NFL].live


def test_leases_of_another_database_do_not_count(
    harness: StoreHarness, server: PostgresServer, store_template: str
) -> None:
    with server.clone_of(store_template) as url, connect(url, "elsewhere") as elsewhere:
        namesake = StoreHarness(elsewhere)
        assert Lease.try_acquire(elsewhere, namesake.sport, "run-1", 60)
        assert Lease.try_acquire(harness.conn, harness.sport, "run-2", 60)
        assert load_leases(harness.conn)[NFL].run_id == "run-2"


def test_a_second_scorer_waits_until_the_first_is_gone(database_url: str, conn: Connection) -> None:
    first, got_it = connect(database_url, "first"), Event()
    acquire_scorer_lock(first)

    def second() -> None:
        acquire_scorer_lock(conn)
        got_it.set()

    waiting = Thread(target=second)
    waiting.start()
    assert not got_it.wait(0.2)
    first.close()
    assert got_it.wait(5)
    waiting.join()
