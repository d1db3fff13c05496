"""Seconds that the job `warehouse` takes: all of a million ticks at night, and what a burst of polls adds.

Targets: 60 s and 10 s. Both run through Dagster as scheduled, data tests included: nightly everything with its charts,
after a burst only the hourly models. The first run, on an empty database, measures the start-up cost: dbt parses the
project, and everything is imported.

A build is Python by two thirds, so its peer is what a new process takes to import Dagster and dbt in the same run:
3.5 s where the targets were set, so that 60 s are 17 imports and 10 s are 3.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from dagster import DagsterInstance

from edge_assets.core.clock import to_micros
from edge_assets.defs.analytics.definitions import analytics_definitions
from edge_assets.defs.analytics.schedules import HOURLY_FRESHNESS, keys_with_policy
from edge_assets.store.polls import keyframes
from edge_assets.store.polls.as_of import load_last_quotes
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, write_poll
from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade
from ml.quotes import MARKET_OUTCOMES, EventStarts, Market, MarketConfirmations, QuoteBatch
from tests.benchmarks.report import REPORT
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dagster import AssetKey
    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

TICKS, EVENTS, BOOKS, POLLS, BURST = 1_000_000, 300, 30, 500, 12
MARKETS = (Market.H2H, Market.SPREADS, Market.TOTALS)
POINTS = {Market.H2H: (np.nan, np.nan), Market.SPREADS: (-3.5, 3.5), Market.TOTALS: (44.5, 44.5)}


class Market500:
    """Games of a week, two hours apart in groups; every poll reprices a share of the lines that are still open."""

    def __init__(self, conn: Connection) -> None:
        self._conn, self._rng = conn, np.random.default_rng(5)
        with closing(IdRegistry.load(conn)) as ids:
            self._sport = ids.sport("americanfootball_nfl")
            self._books = [ids.book(f"book_{b}", f"Book {b}") for b in range(BOOKS)]
            self._starts = [NOON + timedelta(hours=6 + 0.5 * e) for e in range(EVENTS)]
            self._events = [
                ids.event(f"e{e}", self._sport, f"Home {e % 32}", f"Away {e % 31}", start, NOON)
                for e, start in enumerate(self._starts)
            ]

    def poll(self, number: int, lines: int) -> int:
        """Store one poll with `lines` repriced; return its ticks."""
        at = NOON + timedelta(minutes=15 * number)
        coming = [(e, s) for e, s in zip(self._events, self._starts, strict=True) if s > at - timedelta(hours=3)]
        rows = [row for _ in range(lines) for row in self._line(coming[self._rng.integers(len(coming))][0])]
        times = MarketConfirmations.from_rows(
            (e, b, m, to_micros(at)) for e, _ in coming for b in self._books for m in MARKETS
        )
        starts = EventStarts.from_rows((e, to_micros(s)) for e, s in coming)
        record = PollRecord(
            self._sport, "bench", "r", to_micros(at), to_micros(at), len(times) * 2, len(coming), 1.0, b"[]"
        )
        quotes = QuoteBatch.from_rows({row[:5]: row for row in rows}.values())
        poll = write_poll(self._conn, record, quotes, times, starts) or 0
        # as ingestion does behind every burst; polls are further apart here than bursts
        keyframes.save_keyframe_if_due(
            self._conn, keyframes.Poll(poll, at), *load_last_quotes(self._conn, self._sport, poll)
        )
        return len(quotes)

    def _line(self, event: int) -> list[tuple[int, int, int, int, float, float, int]]:
        book, market = self._books[self._rng.integers(BOOKS)], MARKETS[self._rng.integers(3)]
        log_odds = self._rng.normal(0, 0.05)
        prices = 0.96 * (1 + np.exp([-log_odds, log_odds]))
        return [
            (event, book, market, outcome, point, float(p), 0)
            for outcome, point, p in zip(MARKET_OUTCOMES[market], POINTS[market], prices, strict=True)
        ]


@pytest.mark.filterwarnings("ignore")
def test_builds(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = ensure_database(postgres_server.url, "bench_warehouse")
    upgrade(url)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("EDGE_HOME", str(tmp_path))
    unit = time_imports()
    REPORT.figure("import of Dagster and dbt", unit, "s")
    job("nothing at all", unit)
    with closing(connect(url, "bench")) as conn:
        market = Market500(conn)
        ticks = sum(market.poll(number, TICKS // POLLS // 2) for number in range(POLLS))
        REPORT.note(f"{ticks:,} ticks of {EVENTS} events at {BOOKS} books in {POLLS} polls")
        job("nightly, all", unit)
        job("hourly, nothing new", unit, hourly())
        added = sum(market.poll(POLLS + number, 400) for number in range(BURST))
        job(f"hourly, after a burst of {BURST} polls, {added:,} ticks", unit, hourly())


def hourly() -> list[AssetKey]:
    """What the schedule builds in the hours between two nights."""
    return keys_with_policy(analytics_definitions().resolve_all_asset_specs(), HOURLY_FRESHNESS)


def time_imports() -> float:
    """Seconds that a new process takes to import Dagster and dbt: the middle one of three."""
    took = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import dagster, dagster_dbt"], check=True)
        took.append(time.perf_counter() - started)
    return sorted(took)[1]


def job(name: str, unit: float, selection: Sequence[AssetKey] | None = None) -> None:
    """Run it; report its seconds, also in units, and its CPU seconds, which a busy machine does not lengthen."""
    started, before = time.perf_counter(), os.times()
    with DagsterInstance.ephemeral() as instance:
        warehouse = analytics_definitions().resolve_job_def("warehouse")
        assert warehouse.execute_in_process(instance=instance, asset_selection=selection).success
    after = os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    took = time.perf_counter() - started
    REPORT.figure(f"job: {name}", took, "s", took / unit, "the import of Dagster and dbt")
    REPORT.figure(f"job: {name}, CPU with its children", cpu, "s")
