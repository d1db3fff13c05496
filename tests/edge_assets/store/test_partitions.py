"""Any day can be written, at any time, under the same names on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from edge_assets.store import readers
from edge_assets.store.database import connect, describe
from edge_assets.store.partitions import TABLES, Partitions
from ml.quotes import QuoteBatch
from tests.edge_assets.store.material import NOON

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.edge_assets.store.material import Desk

MIDNIGHT = datetime(2025, 11, 11, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
CHILDREN = "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass"


@pytest.fixture
def native(conn: Connection) -> Connection:
    """The connection, where partitions are ours to make."""
    if describe(conn).hypertables:
        pytest.skip("TimescaleDB makes its chunks itself")
    return conn


@pytest.mark.parametrize(
    "at",
    [MIDNIGHT - INSTANT, MIDNIGHT, datetime(1999, 12, 31, tzinfo=UTC), datetime(2031, 2, 28, 23, tzinfo=UTC)],
)
def test_every_day_can_be_written_and_read_back(desk: Desk, at: datetime) -> None:
    poll = desk.write(at, QuoteBatch.of([desk.quote(1.9)]))

    assert poll is not None
    assert readers.changes(desk.conn, poll).quotes.price.tolist() == [1.9]


def test_a_history_is_read_across_midnight(desk: Desk) -> None:
    desk.write(MIDNIGHT - INSTANT, QuoteBatch.of([desk.quote(1.9), desk.quote(3.5, book=1)]))
    desk.write(MIDNIGHT, QuoteBatch.of([desk.quote(1.8)]))

    quotes, _ = readers.last_quotes(desk.conn, desk.sport)

    assert sorted(quotes.price.tolist()) == [1.8, 3.5]


def test_a_new_day_does_not_wait_for_a_long_query(desk: Desk, database_url: str) -> None:
    desk.write(NOON, QuoteBatch.of([desk.quote(1.9)]))
    with connect(database_url, "analyst") as reader, reader.transaction():
        for table in TABLES:
            reader.execute(f"SELECT count(*) FROM {table}")
        desk.conn.execute("SET lock_timeout = '2s'")

        assert desk.write(NOON + timedelta(days=1), QuoteBatch.of([desk.quote(1.8)])) is not None


def test_a_day_is_made_once_and_carries_the_index(native: Connection, database_url: str) -> None:
    for _ in range(2):
        Partitions(native).ensure(native, NOON)

    assert [native.execute(CHILDREN, [table]).fetchone() for table in TABLES] == [(1,), (1,)]
    assert native.execute(CHILDREN, ["odds_ticks_event"]).fetchone() == (1,)


def test_writers_that_meet_at_midnight_do_not_fail(native: Connection, database_url: str) -> None:
    together, failures = Barrier(4), list[Exception]()

    def writer() -> None:
        with connect(database_url, "writer") as conn:
            partitions = Partitions(conn)
            together.wait()
            try:
                partitions.ensure(conn, MIDNIGHT)
            except Exception as error:
                failures.append(error)

    threads = [Thread(target=writer) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert native.execute(CHILDREN, ["odds_ticks"]).fetchone() == (1,)
