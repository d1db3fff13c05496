"""As-of reads of a store with 1.3 million ticks: all books of one event, and of the 500 events on offer.

Targets: 5 ms and 100 ms on a machine of this kind that has nothing else to do; the CPU time of client and
server is reported with the wall clock. Keyframes are kept as in a session, at the start of a burst of five polls; reads
are at the last poll and at the one with most ticks behind its keyframe. The floor is the server's COPY of the answer's
rows alone.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.polls import as_of, keyframes
from edge_assets.store.postgres.database import connect, ensure_database, load_database_info
from edge_assets.store.postgres.schema import upgrade
from tests.benchmarks.report import REPORT
from tests.benchmarks.season import LISTED, fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

BURST = 5
ROUNDS = 9


@pytest.mark.parametrize("engine", ["postgres_server", "timescale_server"])
def test_as_of(engine: str, request: pytest.FixtureRequest) -> None:
    url = ensure_database(request.getfixturevalue(engine).url, "bench_as_of")
    upgrade(url)
    with connect(url, "bench") as conn:
        worst = fill_store(conn)
        sport, last = conn.execute("SELECT sport_id, id FROM polls ORDER BY id DESC LIMIT 1").fetchone() or (0, 0)
        REPORT.note(f"{load_database_info(conn).summary}, {counts(conn)}")
        for what, poll in (("last poll", last), ("worst poll", worst)):
            measure(f"{LISTED} events, {what}", conn, partial(as_of.load_last_quotes, conn, sport, poll))
        [at] = conn.execute("SELECT observed_at FROM polls WHERE id = %s", [worst]).fetchone() or ()
        measure("one event", conn, partial(as_of.load_quotes_as_of, conn, LISTED // 2, at))
        quotes, _ = as_of.load_last_quotes(conn, sport, last)
        measure(f"server's COPY of {len(quotes):,} ticks", conn, partial(copy_ticks, conn, len(quotes)))


def fill_store(conn: Connection) -> int:
    """Fill the store; return the poll with most ticks since its keyframe."""
    behind, most, worst = 0, -1, 0
    for number, sport in enumerate(fill(conn)):
        poll = as_of.find_last_poll(conn, sport)
        assert poll is not None
        behind += len(as_of.load_poll_changes(conn, poll.id).quotes)
        if number and behind > most:
            most, worst = behind, poll.id
        if number % BURST == 0 and keyframes.save_keyframe_if_due(
            conn, poll, *as_of.load_last_quotes(conn, sport, poll.id)
        ):
            behind = 0
    conn.execute("VACUUM ANALYZE")
    return worst


def counts(conn: Connection) -> str:
    """What lies in the store."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM odds_ticks), (SELECT count(DISTINCT observed_at) FROM keyframes), "
        "pg_size_pretty(pg_total_relation_size('keyframes'))"
    ).fetchone()
    return "{:,} ticks, {} keyframes in {}".format(*row or (0, 0, 0))


def copy_ticks(conn: Connection, rows: int) -> None:
    """Let the server send so many ticks."""
    with (
        conn.cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM odds_ticks LIMIT {rows}) TO STDOUT (FORMAT binary)") as copy,
    ):
        for _ in copy:
            pass


def measure(name: str, conn: Connection, call: Callable[[], object]) -> None:
    """Report the median time of some rounds, and the CPU time of client and server."""
    call()
    walls, client, server = [], time.process_time(), cpu(conn)
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        walls.append(time.perf_counter() - started)
    client, server = (time.process_time() - client) / ROUNDS, (cpu(conn) - server) / ROUNDS
    REPORT.figure(name, median(walls) * 1e3, "ms")
    REPORT.figure(f"{name}, CPU of client and server", (client + server) * 1e3, "ms")


def cpu(conn: Connection) -> float:
    """CPU seconds of the connection's server process, in hundredths; Linux only."""
    words = Path(f"/proc/{conn.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
