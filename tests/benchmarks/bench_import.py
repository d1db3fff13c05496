"""Quotes per second from match files and from segments into the real tables, as a ratio of the server's own COPY.

Target: 150,000 quotes/s, aggregates among them, on a machine of this kind that has nothing else to do. The floor is
`COPY FROM` of a binary file of the very rows that the import has stored, into the same table with its index; it
reads, names and resolves nothing. Client CPU is reported with the wall clock. Both connections of the import and its
three threads want two cores; with less the wall clock is the sum of client and server.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edge_assets.importers.importer import Importer
from edge_assets.reference.sources import Source
from edge_assets.store.postgres.binary_copy import TICK_COLUMNS
from edge_assets.store.postgres.database import connect, ensure_database, load_database_info
from edge_assets.store.postgres.schema import upgrade
from tests.benchmarks.report import REPORT
from tests.support.football_files import season

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

BOOKS = ("B365", "BW", "IW", "PS", "WH", "VC", "Max", "Avg")
DAYS = [f"{day:02}/{month:02}/2020" for month in (1, 2, 3) for day in range(1, 29)]
TEAMS = [f"Team {n}" for n in range(40)]
FILES = 6


@pytest.mark.parametrize("engine", ["postgres_server", "timescale_server"])
def test_written_season(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    head = ["Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR"]
    head += [f"{book}{c}{outcome}" for book in BOOKS for c in ("", "C") for outcome in ("H", "D", "A", ">2.5", "<2.5")]
    prices = ",".join(f"{1.2 + n / 37:.2f}" for n in range(len(head) - 1))
    for n in range(FILES):
        pairs = [(TEAMS[i], TEAMS[20 + (i + n) % 20]) for i in range(10)]
        rows = [f"E0,{day},15:00,{home},{away},1,0,H,{prices}" for day in DAYS[n::FILES] for home, away in pairs]
        season(tmp_path / f"{n}.csv", *rows, head=",".join(head))
    measure(request.getfixturevalue(engine), Source.FOOTBALL_DATA, [tmp_path], "written files")


@pytest.mark.parametrize("engine", ["postgres_server", "timescale_server"])
@pytest.mark.parametrize(
    ("name", "folder"),
    [(Source.FOOTBALL_DATA, "football_data_uk"), (Source.ODDS_TICKS, "nfl_2025_ticks")],
    ids=str,
)
def test_recorded(name: Source, folder: str, engine: str, request: pytest.FixtureRequest, data_dir: Path) -> None:
    measure(request.getfixturevalue(engine), name, [data_dir / folder], folder)


def measure(server: PostgresServer, name: Source, paths: Sequence[Path], what: str) -> None:
    """Report the rate of an import, and of the server's COPY of what it stored."""
    database = f"bench_import_{what.replace(' ', '_')}"
    url = ensure_database(server.url, database)
    upgrade(url)
    wall, cpu = time.perf_counter(), time.process_time()
    with Importer(url) as importer:
        report = importer.run(name, paths)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stored = report.ticks + report.aggregates
    with connect(url, "bench") as conn:
        floor = floor_rate(conn, report.ticks)
        engine = load_database_info(conn).engine
    REPORT.note(f"{engine}, {what}: {stored:,} quotes, {report.files} files, {wall:.1f} s")
    REPORT.figure("quotes imported", stored / wall, "/s", stored / wall / floor, "the server's COPY of the ticks")
    REPORT.figure("quotes imported by CPU time of the client", stored / cpu, "/s")


def floor_rate(conn: Connection, ticks: int) -> float:
    """Ticks per second of a server-side COPY into the same table."""
    folder = conn.execute("SHOW data_directory").fetchone()
    file = f"'{folder and folder[0]}/imported'"
    conn.execute(f"COPY (SELECT {TICK_COLUMNS} FROM odds_ticks ORDER BY poll_id) TO {file} (FORMAT binary)")
    conn.execute("TRUNCATE odds_ticks")
    started = time.perf_counter()
    conn.execute(f"COPY odds_ticks ({TICK_COLUMNS}) FROM {file} (FORMAT binary)")
    return ticks / (time.perf_counter() - started)
