"""Rows per second into the real `odds_ticks`, as a ratio of the server's own COPY of a file of the same rows.

Target: 0.85. Both append to the same table with its index; rounds alternate, and the best of each counts.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store.polls.writer import get_partitions, write_poll
from edge_assets.store.postgres.binary_copy import TICK_COLUMNS, copy_ticks
from edge_assets.store.postgres.database import connect, ensure_database, load_database_info
from edge_assets.store.postgres.schema import upgrade
from ml.quotes import EventStarts, MarketConfirmations, QuoteBatch
from tests.benchmarks.report import REPORT
from tests.support.poll_factories import NAN, NOON, StoreHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

ROWS = 20_000
SMALL = 836
ROUNDS = 40
TARGET_RATIO = 0.85
WITHOUT_POINT = 0.3
WITHDRAWN = 0.3


@pytest.mark.parametrize("engine", ["postgres_server", "timescale_server"])
def test_copy(engine: str, request: pytest.FixtureRequest) -> None:
    server: PostgresServer = request.getfixturevalue(engine)
    url = ensure_database(server.url, "bench_copy")
    upgrade(url)
    with connect(url, "bench") as conn:
        get_partitions(conn).ensure_day(conn, NOON)
        ours, floor = rounds(conn, changes(ROWS))
        poll = min(poll_seconds(conn))
        REPORT.note(load_database_info(conn).engine)
        peer = f"the server's COPY of a file (target {TARGET_RATIO})"
        REPORT.figure("rows copied", ROWS / ours, "/s", floor / ours, peer)
        REPORT.figure(f"a poll of {SMALL} changes with its commit", poll * 1e3, "ms")


def changes(n: int) -> QuoteBatch:
    """Changes of 100 events at 40 books, ordered by event as a feed lists them."""
    rng = np.random.default_rng(1)
    quotes = QuoteBatch(
        np.sort(rng.integers(1, 101, n)).astype(np.int32),
        rng.integers(1, 41, n).astype(np.int16),
        rng.integers(1, 4, n).astype(np.int16),
        rng.integers(1, 6, n).astype(np.int32),
        (rng.integers(-20, 20, n) / 2).astype(np.float32),
        1 + rng.exponential(2, n),
        to_micros(NOON) - rng.integers(0, 10**8, n),
    )
    quotes.point[rng.random(n) < WITHOUT_POINT] = NAN
    quotes.price[rng.random(n) < WITHDRAWN] = NAN
    return quotes


def rounds(conn: Connection, quotes: QuoteBatch) -> tuple[float, float]:
    """The best seconds of `copy_ticks` and of the server's COPY."""

    def ours() -> None:
        with conn.transaction(), conn.cursor() as cursor:
            copy_ticks(cursor, quotes, to_micros(NOON), 1)

    ours()
    folder = conn.execute("SHOW data_directory").fetchone()
    file = f"'{folder and folder[0]}/ticks'"
    conn.execute(f"COPY (SELECT {TICK_COLUMNS} FROM odds_ticks) TO {file} (FORMAT binary)")

    def floor() -> None:
        conn.execute(f"COPY odds_ticks ({TICK_COLUMNS}) FROM {file} (FORMAT binary)")

    taken = [(seconds(ours), seconds(floor)) for _ in range(ROUNDS)]
    best_ours, best_floor = (min(times) for times in zip(*taken, strict=True))
    return best_ours, best_floor


def poll_seconds(conn: Connection) -> list[float]:
    """The seconds of `write_poll` for a usual poll, round by round."""
    harness, quotes = StoreHarness(conn), changes(SMALL)
    times = MarketConfirmations.from_rows((event, book, 1, 0) for event in range(100) for book in range(40))
    starts = EventStarts.from_rows((event, 0) for event in range(100))
    records = [harness.record(NOON + timedelta(seconds=i)) for i in range(ROUNDS)]
    return [seconds(partial(write_poll, conn, r, quotes, times, starts)) for r in records]


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
