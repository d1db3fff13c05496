"""What compression saves on the recorded NFL week of 2025-11, by layout and length of a chunk, and reads after it.

Community runs as WebAssembly in one thread (see tests/support/servers/pglite.py) unless EDGE_BENCH_COMMUNITY names a
database on a real server: without it only its ratios count. As-of reads of many events: bench_as_of.py.
"""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.store.polls import as_of
from edge_assets.store.polls.writer import write_poll
from edge_assets.store.postgres.database import connect, load_database_info
from edge_assets.store.postgres.schema import upgrade
from ml.quotes import EventStarts, MarketConfirmations
from tests.benchmarks.report import REPORT
from tests.e2e.test_recorded_week import read_payloads
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.poll_factories import StoreHarness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection

    from ml.quotes import QuoteBatch

SPORT = "americanfootball_nfl"
ROUNDS = 5
CHUNKS = ("1 day", "7 days")
OURS = ("event_id", "observed_at, book_id, market_id")
LAYOUTS = (
    OURS,
    ("event_id", "observed_at"),
    ("event_id", "market_id, outcome_id, point, book_id, observed_at"),
    ("event_id, book_id", "market_id, outcome_id, point, observed_at"),
    ("", "event_id, observed_at"),
    ("", "observed_at, event_id, book_id"),
)
RECORDED = "sports, books, events, event_starts, polls, payloads, odds_ticks"
SIZES = """
SELECT before_compression_total_bytes::float / after_compression_total_bytes
FROM hypertable_compression_stats('odds_ticks')
"""


@pytest.fixture(scope="module")
def week(data_dir: Path) -> list[tuple[datetime, QuoteBatch, int]]:
    """Each poll's moment, changes, and number of events so far."""
    ids = InMemoryIdResolver()
    differ = PayloadDiffer(ids, SPORT, 1, price_format=PriceFormat.AMERICAN)
    found = []
    for at, body in read_payloads(data_dir / "odds_api" / "nfl_week_2025-11.tar.xz"):
        diff = differ.diff(body, at)
        differ.commit()
        found.append((at, diff.quotes, len(ids.starts)))
    return found


@pytest.fixture
def community(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an emptied database of the community edition."""
    url = os.getenv("EDGE_BENCH_COMMUNITY") or request.getfixturevalue("community_server").url
    upgrade(url)
    with connect(url, "bench") as conn:
        conn.execute(f"TRUNCATE {RECORDED} RESTART IDENTITY CASCADE")
        yield conn
        conn.execute("SELECT set_chunk_time_interval('odds_ticks', interval '1 day')")


def test_compressed_reads(community: Connection, week: list[tuple[datetime, QuoteBatch, int]]) -> None:
    fill(community, week)
    REPORT.note(load_database_info(community).summary)
    report_reads(community, "uncompressed")
    REPORT.figure("size uncompressed to compressed", compress(community, *OURS), ": 1")
    report_reads(community, "compressed")


@pytest.mark.parametrize("chunk", CHUNKS)
def test_layouts(chunk: str, community: Connection, week: list[tuple[datetime, QuoteBatch, int]]) -> None:
    community.execute("SELECT set_chunk_time_interval('odds_ticks', %s::interval)", [chunk])
    fill(community, week)
    for segment, order in LAYOUTS:
        ratio = compress(community, segment, order)
        REPORT.figure(f"by ({segment}) in order of ({order})", ratio, ": 1")
        community.execute("SELECT decompress_chunk(chunk) FROM show_chunks('odds_ticks') AS chunk")


def fill(conn: Connection, week: list[tuple[datetime, QuoteBatch, int]]) -> None:
    """Write the week."""
    harness, events = StoreHarness(conn), week[-1][2]
    for table in ("event_sources", "event_starts", "events"):
        conn.execute(f"DELETE FROM {table}")
    conn.execute(
        "INSERT INTO events (id, key, sport_id, commence_at, original_commence_at, first_seen_at) "
        "OVERRIDING SYSTEM VALUE SELECT i, i::text, %s, %s, %s, %s FROM generate_series(1, %s) AS i",
        [harness.sport, week[-1][0], week[-1][0], week[0][0], events],
    )
    starts = EventStarts.from_rows((event, 0) for event in range(1, events + 1))
    for at, quotes, _ in week:
        write_poll(conn, harness.record(at), quotes, MarketConfirmations.empty(), starts)
    conn.execute("VACUUM ANALYZE")


def compress(conn: Connection, segment: str, order: str) -> float:
    """Compress in a layout; return how many bytes one byte now stands for."""
    conn.execute(
        f"ALTER TABLE odds_ticks SET (timescaledb.compress, timescaledb.compress_segmentby = '{segment}', "
        f"timescaledb.compress_orderby = '{order}')"
    )
    conn.execute("SELECT compress_chunk(chunk) FROM show_chunks('odds_ticks') AS chunk")
    conn.execute("VACUUM ANALYZE")
    row = conn.execute(SIZES).fetchone()
    assert row is not None
    return float(row[0])


def report_reads(conn: Connection, state: str) -> None:
    """Report how long as-of reads at the end take."""
    counted = conn.execute("SELECT event_id, count(*) FROM odds_ticks GROUP BY 1 ORDER BY 2 DESC LIMIT 1").fetchone()
    last = conn.execute("SELECT sport_id, id, observed_at FROM polls ORDER BY id DESC LIMIT 1").fetchone()
    assert counted is not None
    assert last is not None
    one = milliseconds(lambda: as_of.load_quotes_as_of(conn, counted[0], last[2]))
    whole = milliseconds(lambda: as_of.load_last_quotes(conn, last[0], last[1]))
    poll = milliseconds(lambda: as_of.load_poll_changes(conn, last[1]))
    for what, value in ((f"an event of {counted[1]} ticks", one), ("all events", whole), ("a poll", poll)):
        REPORT.figure(f"read {what}, {state}", value, "ms")


def milliseconds(call: Callable[[], Any]) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return median(taken) * 1e3
