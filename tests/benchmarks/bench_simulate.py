"""The cost of polling the simulated market: the demo polls four leagues a second along with everything else."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.market import SimulatedMarket
from tests.benchmarks.report import REPORT

BEGINS = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECONDS = 120


def test_snapshot_every_second() -> None:
    simulator = SimulatedMarket()
    for league in LEAGUES:
        taken = []
        for second in range(SECONDS):
            started = time.perf_counter()
            snapshot = simulator.snapshot(league.key, BEGINS + timedelta(seconds=second))
            taken.append(time.perf_counter() - started)
        assert snapshot is not None
        cold, p50, p99 = (x * 1e3 for x in (taken[0], *np.quantile(taken[1:], [0.5, 0.99])))
        size = len(msgspec.json.encode(snapshot.events)) / 1024
        REPORT.note(f"{league.key}: {len(snapshot.events)} events, {size:.0f} KiB")
        for name, value in (("first", cold), ("p50", p50), ("p99", p99)):
            REPORT.figure(f"snapshot of {league.key}, {name}", value, "ms")
