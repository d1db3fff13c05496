"""The same schema, writes and answers on every kind of server, compressed or not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.store.maintenance.retention import apply_retention
from edge_assets.store.polls import as_of
from edge_assets.store.postgres.database import connect, load_database_info
from ml.quotes import QuoteBatch
from tests.edge_assets.store.test_as_of import Model, ObservedPoll, poll_sequences
from tests.edge_assets.store.test_migrations import COLUMNS
from tests.edge_assets.store.test_retention import EVERYTHING, bring
from tests.support.poll_factories import NAN, NOON, batch, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness
    from tests.support.servers.postgres import PostgresServer

pytestmark = pytest.mark.untraced

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
CANDLES = """
SELECT event_id, market_id, outcome_id, point, book_id, bucket, first_price, last_price, min_price, max_price, ticks
FROM price_candles
"""
TICKS = """
SELECT event_id, market_id, outcome_id, point, book_id, observed_at, price FROM odds_ticks ORDER BY observed_at
"""
DAYS = "SELECT DISTINCT observed_at::date::text FROM {} ORDER BY 1"


def compress(conn: Connection) -> None:
    """Compress every chunk, or again what has been written into it since; nothing where that is not to be had."""
    if load_database_info(conn).compression:
        conn.execute("SELECT compress_chunk(chunk) FROM show_chunks('odds_ticks') AS chunk").fetchall()


def test_names_and_types_are_the_same(
    conn: Connection, postgres_server: PostgresServer, migrated_template: str
) -> None:
    with postgres_server.clone_of(migrated_template) as url, connect(url, "test") as reference:
        expected = reference.execute(COLUMNS).fetchall()

    assert conn.execute(COLUMNS).fetchall() == expected
    assert {"odds_ticks", "payloads", "price_candles"} <= {row[0] for row in expected}


def test_what_is_on_is_described(conn: Connection, request: pytest.FixtureRequest) -> None:
    info = load_database_info(conn)

    on = (info.engine, info.edition, info.hypertables, info.compression, info.continuous_aggregate)
    if "community" in request.node.name:
        assert on == ("TimescaleDB", "timescale", True, True, True)
    elif "apache" in request.node.name:
        assert on == ("TimescaleDB", "apache", True, False, False)
    else:
        assert on == ("PostgreSQL", None, False, False, False)
        assert f"postgresql-{info.version.partition('.')[0]}" in request.node.name


def test_polls_come_back_bit_for_bit(harness: StoreHarness) -> None:
    written = {}
    for day in range(3):
        quotes = batch(500, harness.events, seed=day)
        written[harness.write(NOON + day * DAY, quotes)] = rows(quotes)
        compress(harness.conn)

    assert {poll: rows(as_of.load_poll_changes(harness.conn, poll or 0).quotes) for poll in written} == written


@given(poll_sequence=poll_sequences(), early=st.integers(0, 6))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_of_any_time_quotes_match_the_payloads_until_then(
    harness: StoreHarness, poll_sequence: list[ObservedPoll], early: int
) -> None:
    model = Model.create(harness)
    for number, make_poll in enumerate(poll_sequence):
        model.see(make_poll)  # from the `early`th on, into chunks that are compressed
        if number == early:
            compress(harness.conn)
        model.check(make_poll.at)
    compress(harness.conn)
    for make_poll in poll_sequence:
        model.check(make_poll.at)
        model.check(make_poll.at - timedelta(microseconds=1))


def test_candles_are_those_of_the_ticks(harness: StoreHarness) -> None:
    prices = [2.0, 2.2, NAN, 1.9, 2.1, 1.8]
    for make_poll, price in enumerate(prices):
        quotes = [
            harness.quote(price),
            harness.quote(price + make_poll, book=1, point=-3.5),
            harness.quote(3.0 - make_poll, event=1),
        ]
        harness.write(NOON + make_poll * 7 * MINUTE, QuoteBatch.from_rows(quotes))

    run_jobs(harness.conn, "policy_refresh_continuous_aggregate")
    found = harness.conn.execute(CANDLES).fetchall()

    assert sorted(found, key=repr) == sorted(candles(harness.conn), key=repr)
    assert [row[6:] for row in found if row[5] == NOON and row[3] is None and row[0] == harness.events[0]] == [
        (2.0, None, 2.0, 2.2, 3)
    ]


def candles(conn: Connection) -> list[tuple[Any, ...]]:
    """From the ticks, one by one."""
    prices: dict[tuple[Any, ...], list[float | None]] = defaultdict(list)
    for *selection, at, price in conn.execute(TICKS):
        prices[(*selection, at.replace(minute=at.minute // 15 * 15))].append(price)
    return [(*key, p[0], p[-1], *extremes(p), len(p)) for key, p in prices.items()]


def extremes(prices: list[float | None]) -> tuple[float | None, float | None]:
    """The least and the greatest that is a price."""
    known = [p for p in prices if p is not None]
    return min(known, default=None), max(known, default=None)


def test_recordings_are_kept_for_the_configured_time(harness: StoreHarness) -> None:
    """What an import brought on the day of a poll stays, compressed or not."""
    now = NOON + 300 * DAY
    for age in (40, 20, 5, 1, 0):
        harness.write(now - age * DAY, QuoteBatch.from_rows([harness.quote()]))
    bring(harness, now - 20 * DAY + MINUTE)
    compress(harness.conn)

    apply_retention(harness.conn, replace(EVERYTHING, payloads=10), now)

    assert days(harness.conn, "odds_ticks") == [f"{now - age * DAY:%Y-%m-%d}" for age in (40, 20, 5, 1, 0)]
    assert days(harness.conn, "payloads") == [f"{now - age * DAY:%Y-%m-%d}" for age in (20, 5, 1, 0)]

    for _ in range(2):
        apply_retention(harness.conn, replace(EVERYTHING, ticks=3), now)

        for table in ("odds_ticks", "payloads", "polls"):
            assert days(harness.conn, table) == [f"{now - age * DAY:%Y-%m-%d}" for age in (20, 1, 0)]
    assert harness.conn.execute("SELECT count(*) FROM odds_ticks").fetchone() == (3,)


def run_jobs(conn: Connection, kind: str) -> None:
    """What TimescaleDB's scheduler does in the background, where it can run; nothing without policies."""
    if load_database_info(conn).continuous_aggregate:
        jobs = conn.execute("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = %s", [kind]).fetchall()
        for (job,) in jobs:
            conn.execute("CALL run_job(%s)", [job])


def days(conn: Connection, table: str) -> list[str]:
    """The days that a table has recordings of."""
    return [day for (day,) in conn.execute(DAYS.format(table))]
