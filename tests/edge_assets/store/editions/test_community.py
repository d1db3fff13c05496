"""What only the community edition does: compress, keep candles, drop by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.store import readers
from edge_assets.store.retention import retain
from ml.quotes import QuoteBatch
from tests.edge_assets.store.editions.test_everywhere import CANDLES, candles, compress, run_jobs
from tests.edge_assets.store.material import NOON, batch, rows
from tests.edge_assets.store.test_retention import EVERYTHING

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.edge_assets.store.material import Desk

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


def test_ticks_are_compressed_a_week_later(desk: Desk) -> None:
    now = datetime.now(UTC)
    for age in (30, 10, 0):
        desk.write(now - timedelta(days=age), QuoteBatch.of([desk.quote()]))

    run_jobs(desk.conn, "policy_compression")

    assert desk.conn.execute(COMPRESSED).fetchone() == (2,)


def test_late_ticks_find_their_place_in_compressed_chunks(desk: Desk) -> None:
    early, late = (batch(300, desk.events, seed) for seed in (1, 2))
    first = desk.write(NOON, early)
    compress(desk.conn)
    second = desk.write(NOON + MINUTE, late)
    before = readers.as_of(desk.conn, desk.events[0], NOON + MINUTE)
    run_jobs(desk.conn, "policy_compression")
    after = readers.as_of(desk.conn, desk.events[0], NOON + MINUTE)

    for poll, quotes in ((first, early), (second, late)):
        assert poll is not None
        assert rows(readers.changes(desk.conn, poll).quotes) == rows(quotes)
    assert rows(before.quotes) == rows(after.quotes)
    assert desk.conn.execute("SELECT count(*) FROM odds_ticks").fetchone() == (600,)


def test_candles_are_the_same_before_and_after_they_are_kept(desk: Desk) -> None:
    day = NOON + timedelta(days=1)  # after whatever other tests have had kept: what is older shows when it is refreshed
    for look in range(5):
        desk.write(
            day + look * 7 * MINUTE,
            QuoteBatch.of([desk.quote(2 + look / 7), desk.quote(3 - look, book=1)]),
        )
    fresh = desk.conn.execute(CANDLES).fetchall()
    run_jobs(desk.conn, "policy_refresh_continuous_aggregate")
    kept = desk.conn.execute(CANDLES).fetchall()

    assert since(day, fresh) == since(day, kept) == since(day, candles(desk.conn))
    assert desk.conn.execute("SELECT count(*) FROM " + kept_in(desk.conn)).fetchone() == (len(kept),)


def since(day: datetime, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The candles from a day on, in an order that holds for unknown prices, too."""
    return sorted((row for row in rows if row[5] >= day), key=repr)


def test_a_late_tick_changes_the_candle_that_was_kept(desk: Desk) -> None:
    desk.write(NOON, QuoteBatch.of([desk.quote(2.0)]))
    run_jobs(desk.conn, "policy_refresh_continuous_aggregate")
    compress(desk.conn)

    desk.write(NOON + MINUTE, QuoteBatch.of([desk.quote(2.5)]))
    run_jobs(desk.conn, "policy_refresh_continuous_aggregate")

    (candle,) = desk.conn.execute(CANDLES).fetchall()
    assert candle[6:] == (2.0, 2.5, 2.0, 2.5, 2)


def kept_in(conn: Connection) -> str:
    """The table behind the continuous aggregate."""
    row = conn.execute(
        "SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) "
        "FROM timescaledb_information.continuous_aggregates WHERE view_name = 'price_candles'"
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_policy_of_an_earlier_version_is_replaced(desk: Desk) -> None:
    """It does not know what was imported."""
    desk.write(NOON, QuoteBatch.of([desk.quote()]))
    desk.conn.execute("SELECT add_retention_policy('odds_ticks', interval '30 days')")

    retain(desk.conn, EVERYTHING, NOON)

    assert desk.conn.execute(RETENTION_POLICIES).fetchone() == (0,)


def test_candles_go_with_their_ticks(desk: Desk) -> None:
    for age in (40, 1, 0):
        desk.write(NOON - timedelta(days=age), QuoteBatch.of([desk.quote()]))
    run_jobs(desk.conn, "policy_refresh_continuous_aggregate")

    retain(desk.conn, replace(EVERYTHING, ticks=5), NOON)
    run_jobs(desk.conn, "policy_refresh_continuous_aggregate")

    assert sorted(desk.conn.execute(CANDLES).fetchall(), key=repr) == sorted(candles(desk.conn), key=repr)
