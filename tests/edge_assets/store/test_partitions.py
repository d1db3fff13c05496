"""Any day can be written, at any time, under the same names on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store.polls import as_of
from edge_assets.store.polls.bulk_writer import write_quotes
from edge_assets.store.postgres.database import connect
from edge_assets.store.postgres.partitions import PARTITIONED_TABLES, Partitions
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness
    from tests.support.servers.postgres import PostgresServer

MIDNIGHT = datetime(2025, 11, 11, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
JUNE, JULY = datetime(2020, 6, 3, tzinfo=UTC), datetime(2020, 7, 3, tzinfo=UTC)
CHILDREN = "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass"


@pytest.fixture
def native_url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A database whose partitions are ours to make."""
    with postgres_server.clone_of(migrated_template) as url:
        yield url


@pytest.mark.parametrize(
    "at",
    [MIDNIGHT - INSTANT, MIDNIGHT, datetime(1999, 12, 31, tzinfo=UTC), datetime(2031, 2, 28, 23, tzinfo=UTC)],
)
def test_every_day_can_be_written_and_read_back(harness: StoreHarness, at: datetime) -> None:
    poll = harness.write(at, QuoteBatch.from_rows([harness.quote(1.9)]))

    assert poll is not None
    assert as_of.load_poll_changes(harness.conn, poll).quotes.price.tolist() == [1.9]


def test_a_history_is_read_across_midnight(harness: StoreHarness) -> None:
    harness.write(MIDNIGHT - INSTANT, QuoteBatch.from_rows([harness.quote(1.9), harness.quote(3.5, book=1)]))
    harness.write(MIDNIGHT, QuoteBatch.from_rows([harness.quote(1.8)]))

    quotes, _ = as_of.load_last_quotes(harness.conn, harness.sport)

    assert sorted(quotes.price.tolist()) == [1.8, 3.5]


def test_a_new_day_does_not_wait_for_a_long_query(harness: StoreHarness, database_url: str) -> None:
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(1.9)]))
    with connect(database_url, "analyst") as reader, reader.transaction():
        for table in PARTITIONED_TABLES:
            reader.execute(f"SELECT count(*) FROM {table}")
        harness.conn.execute("SET lock_timeout = '2s'")

        assert harness.write(NOON + timedelta(days=1), QuoteBatch.from_rows([harness.quote(1.8)])) is not None


def test_a_day_is_made_once_and_carries_the_index(native_url: str) -> None:
    with connect(native_url, "test") as conn:
        for _ in range(2):
            Partitions(conn).ensure_day(conn, NOON)

        assert [conn.execute(CHILDREN, [table]).fetchone() for table in PARTITIONED_TABLES] == [(1,), (1,)]
        assert conn.execute(CHILDREN, ["odds_ticks_event"]).fetchone() == (1,)


def test_writers_that_meet_at_midnight_do_not_fail(native_url: str) -> None:
    together = Barrier(4)

    def write(_: int) -> None:
        with connect(native_url, "writer") as conn:
            partitions = Partitions(conn)
            together.wait()
            partitions.ensure_day(conn, MIDNIGHT)

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(write, range(together.parties)))

    with connect(native_url, "test") as conn:
        assert conn.execute(CHILDREN, ["odds_ticks"]).fetchone() == (1,)


def test_ticks_go_straight_to_the_partitions_of_their_months(native_url: str) -> None:
    """Unless a month has daily ones, which the parent finds."""
    with connect(native_url, "test") as conn, conn.transaction():
        partitions = Partitions(conn)
        partitions.ensure_day(conn, JULY)
        partitions.ensure_months(conn, [JUNE, JULY + timedelta(days=1)])
        moments = np.array([to_micros(at) for at in (JULY, JUNE, JULY + timedelta(days=2), JUNE + INSTANT)])
        found = [(table, rows.tolist()) for table, rows in partitions.split_by_table(conn, moments)]

        assert found == [("odds_ticks_202006", [1, 3]), ("odds_ticks", [0, 2])]
        assert children(conn) == [
            "odds_ticks_202006",
            "odds_ticks_20200703",
            "odds_ticks_20200704",
            "odds_ticks_20200705",
        ]


def test_a_new_month_is_filled_and_then_attached_with_the_index(native_url: str) -> None:
    with connect(native_url, "test") as conn:
        put(conn, JUNE)
        put(conn, JUNE + INSTANT)

        assert children(conn) == ["odds_ticks_202006"]
        assert conn.execute(CHILDREN, ["odds_ticks_event"]).fetchone() == (1,)
        assert conn.execute("SELECT count(*) FROM odds_ticks").fetchone() == (2,)


def test_an_import_then_a_day_of_polls_then_captures_share_a_month(native_url: str) -> None:
    """The import has made the month for ticks; the polls have made daily partitions for payloads."""
    with connect(native_url, "test") as conn:
        put(conn, JUNE)
        partitions = Partitions(conn)
        partitions.ensure_day(conn, JUNE + timedelta(days=1))
        partitions.ensure_months(conn, [JUNE, JUNE + timedelta(days=2)])
        put(conn, JUNE + timedelta(days=2))

        assert children(conn) == ["odds_ticks_202006"]
        assert children(conn, "payloads") == ["payloads_20200603", "payloads_20200604", "payloads_20200605"]


def test_a_month_that_is_rolled_back_is_made_again(native_url: str) -> None:
    with connect(native_url, "test") as conn:
        with conn.transaction(force_rollback=True):
            put(conn, JUNE)
        put(conn, JUNE)

        assert conn.execute("SELECT count(*) FROM odds_ticks_202006").fetchone() == (1,)


def test_imports_that_meet_in_a_new_month_both_fill_it(native_url: str) -> None:
    together = Barrier(4)

    def write(n: int) -> None:
        with connect(native_url, "import") as conn:
            together.wait()
            put(conn, JUNE + n * INSTANT)

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(write, range(together.parties)))

    with connect(native_url, "test") as conn:
        assert conn.execute("SELECT count(*) FROM odds_ticks_202006").fetchone() == (4,)


def put(conn: Connection, at: datetime) -> None:
    """One old tick."""
    quotes = QuoteBatch.from_rows([(1, 1, Market.H2H, Outcome.HOME, np.nan, 1.5, UNKNOWN_TIME)])
    write_quotes(conn, quotes, np.array([to_micros(at)]), np.array([1]))


def children(conn: Connection, table: str = "odds_ticks") -> list[str]:
    """The partitions of a table."""
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
    return [name for (name,) in conn.execute(query, [table])]
