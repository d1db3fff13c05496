"""What only the community edition does: compress, keep candles, drop by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.store.maintenance.retention import apply_retention
from edge_assets.store.polls import as_of
from ml.quotes import QuoteBatch
from tests.edge_assets.store.editions.test_everywhere import CANDLES, candles, compress, run_jobs
from tests.edge_assets.store.test_retention import EVERYTHING
from tests.support.poll_factories import NOON, batch, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness

pytestmark = [pytest.mark.parametrize("server", ["community"], indirect=True), pytest.mark.untraced]

MINUTE = timedelta(minutes=1)
POLICIES = """
SELECT proc_name, config - 'hypertable_id' - 'mat_hypertable_id'
FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL ORDER BY proc_name
"""
RETENTION_POLICIES = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
COMPRESSED = """
SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'odds_ticks' AND is_compressed
"""


def test_old_ticks_are_compressed_and_candles_refreshed_by_policies(conn: Connection) -> None:
    assert conn.execute(POLICIES).fetchall() == [
        ("policy_compression", {"compress_after": "7 days"}),
        ("policy_refresh_continuous_aggregate", {"start_offset": None, "end_offset": "01:00:00"}),
    ]


def test_ticks_are_compressed_a_week_later(harness: StoreHarness) -> None:
    now = datetime.now(UTC)
    for age in (30, 10, 0):
        harness.write(now - timedelta(days=age), QuoteBatch.from_rows([harness.quote()]))

    run_jobs(harness.conn, "policy_compression")

    assert harness.conn.execute(COMPRESSED).fetchone() == (2,)


def test_late_ticks_find_their_place_in_compressed_chunks(harness: StoreHarness) -> None:
    early, late = (batch(300, harness.events, seed) for seed in (1, 2))
    first = harness.write(NOON, early)
    compress(harness.conn)
    second = harness.write(NOON + MINUTE, late)
    before = as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + MINUTE)
    run_jobs(harness.conn, "policy_compression")
    after = as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + MINUTE)

    for poll, quotes in ((first, early), (second, late)):
        assert poll is not None
        assert rows(as_of.load_poll_changes(harness.conn, poll).quotes) == rows(quotes)
    assert rows(before.quotes) == rows(after.quotes)
    assert harness.conn.execute("SELECT count(*) FROM odds_ticks").fetchone() == (600,)


def test_candles_are_the_same_before_and_after_they_are_kept(harness: StoreHarness) -> None:
    day = NOON + timedelta(days=1)  # after whatever other tests have had kept: what is older shows when it is refreshed
    for make_poll in range(5):
        harness.write(
            day + make_poll * 7 * MINUTE,
            QuoteBatch.from_rows([harness.quote(2 + make_poll / 7), harness.quote(3 - make_poll, book=1)]),
        )
    fresh = harness.conn.execute(CANDLES).fetchall()
    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")
    kept = harness.conn.execute(CANDLES).fetchall()

    assert since(day, fresh) == since(day, kept) == since(day, candles(harness.conn))
    assert harness.conn.execute("SELECT count(*) FROM " + kept_in(harness.conn)).fetchone() == (len(kept),)


def since(day: datetime, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The candles from a day on, in an order that holds for unknown prices, too."""
    return sorted((row for row in rows if row[5] >= day), key=repr)


def test_a_late_tick_changes_the_candle_that_was_kept(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(2.0)]))
    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")
    compress(harness.conn)

    harness.write(NOON + MINUTE, QuoteBatch.from_rows([harness.quote(2.5)]))
    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")

    (candle,) = harness.conn.execute(CANDLES).fetchall()
    assert candle[6:] == (2.0, 2.5, 2.0, 2.5, 2)


def kept_in(conn: Connection) -> str:
    """The table behind the continuous aggregate."""
    row = conn.execute(
        "SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) "
        "FROM timescaledb_information.continuous_aggregates WHERE view_name = 'price_candles'"
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_policy_of_an_earlier_version_is_replaced(harness: StoreHarness) -> None:
    """It does not know what was imported."""
    harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    harness.conn.execute("SELECT add_retention_policy('odds_ticks', interval '30 days')")

    apply_retention(harness.conn, EVERYTHING, NOON)

    assert harness.conn.execute(RETENTION_POLICIES).fetchone() == (0,)


def test_candles_go_with_their_ticks(harness: StoreHarness) -> None:
    for age in (40, 1, 0):
        harness.write(NOON - timedelta(days=age), QuoteBatch.from_rows([harness.quote()]))
    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")

    apply_retention(harness.conn, replace(EVERYTHING, ticks=5), NOON)
    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")

    assert sorted(harness.conn.execute(CANDLES).fetchall(), key=repr) == sorted(candles(harness.conn), key=repr)
