"""A poll is stored whole, once, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
import zstandard

from edge_assets.store.polls import as_of, writer
from edge_assets.store.polls.writer import write_poll
from edge_assets.store.postgres import binary_copy
from edge_assets.store.postgres.database import connect
from ml.quotes import EventStarts, MarketConfirmations, QuoteBatch
from tests.support.poll_factories import NAN, NOON, StoreHarness, batch, rows

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

TABLES = ("polls", "odds_ticks", "payloads")


def counts(conn: Connection) -> list[int]:
    """Rows by table."""
    found = (conn.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES)
    return [row[0] for row in found if row]


def test_a_poll_its_ticks_and_its_payload_are_stored_together(harness: StoreHarness) -> None:
    quotes = QuoteBatch.from_rows([harness.quote(2.0), harness.quote(NAN, book=1)])
    record = replace(
        harness.record(NOON, body=b'{"as": "received"}' * 99),
        rejected={"unknown_team": 3},
        credits_remaining=-2,
        credits_used=500,
    )

    poll = write_poll(harness.conn, record, quotes, MarketConfirmations.empty(), EventStarts.empty())

    stored = harness.conn.execute(
        "SELECT observed_at, ticks, withdrawals, rejected, credits_remaining, credits_used, credits_last, body_bytes "
        "FROM polls WHERE id = %s",
        [poll],
    ).fetchone()
    assert stored == (NOON, 1, 1, {"unknown_team": 3}, -2, 500, None, 18 * 99)
    (payload,) = harness.conn.execute("SELECT body FROM payloads WHERE poll_id = %s", [poll]).fetchall()
    assert zstandard.decompress(payload[0]) == record.body


def test_the_same_moment_twice_stores_nothing_new(harness: StoreHarness) -> None:
    quotes = QuoteBatch.from_rows([harness.quote()])

    assert harness.write(NOON, quotes) is not None
    assert harness.write(NOON, quotes) is None
    assert counts(harness.conn) == [1, 1, 1]


def test_the_same_moment_of_another_sport_is_another_poll(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.empty())

    assert harness.write(NOON, QuoteBatch.empty(), sport=harness.other_sport) is not None


def test_times_keep_their_microseconds(harness: StoreHarness) -> None:
    at = NOON + timedelta(microseconds=123_457)
    harness.write(at, QuoteBatch.from_rows([harness.quote()]))

    assert harness.conn.execute("SELECT p.observed_at, t.observed_at FROM polls p, odds_ticks t").fetchone() == (at, at)


def test_a_connection_killed_in_the_middle_stores_nothing_and_the_retry_succeeds(
    harness: StoreHarness, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotes = batch(100, harness.events)

    def copy_and_die(cursor: psycopg.Cursor[Any], *values: Any) -> None:
        binary_copy.copy_ticks(cursor, *values)
        with connect(database_url, "executioner") as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [cursor.connection.info.backend_pid])

    monkeypatch.setattr(writer, "copy_ticks", copy_and_die)
    with pytest.raises(psycopg.OperationalError):
        harness.write(NOON, quotes)
    monkeypatch.undo()

    with connect(database_url, "afterwards") as conn:
        assert counts(conn) == [0, 0, 0]
        harness.conn = conn
        poll = harness.write(NOON, quotes)
        assert poll is not None
        assert rows(as_of.load_poll_changes(conn, poll).quotes) == rows(quotes)


def test_a_commit_whose_confirmation_was_lost_can_be_repeated(harness: StoreHarness, database_url: str) -> None:
    quotes = QuoteBatch.from_rows([harness.quote()])
    harness.write(NOON, quotes)
    harness.conn.close()  # the writer never learned of its commit

    with connect(database_url, "afterwards") as conn:
        harness.conn = conn
        assert harness.write(NOON, quotes) is None
        assert counts(conn) == [1, 1, 1]
        last = as_of.find_last_poll(conn, harness.sport)
        assert last is not None
        assert last.observed_at == NOON


def test_a_failed_poll_leaves_the_connection_usable(harness: StoreHarness) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        harness.write(NOON, QuoteBatch.from_rows([harness.quote()]), sport=999)

    assert harness.write(NOON, QuoteBatch.from_rows([harness.quote()])) is not None


def test_two_writers_of_one_moment_store_it_once(harness: StoreHarness, database_url: str) -> None:
    quotes, record = QuoteBatch.from_rows([harness.quote()]), harness.record(NOON)

    def write() -> int | None:
        with connect(database_url, "writer") as conn:
            return write_poll(conn, record, quotes, MarketConfirmations.empty(), EventStarts.empty())

    with ThreadPoolExecutor(4) as pool:
        ids = [future.result() for future in [pool.submit(write) for _ in range(4)]]

    assert [i is None for i in ids].count(False) == 1
    assert counts(harness.conn) == [1, 1, 1]
