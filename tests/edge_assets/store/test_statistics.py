"""Statistics are stored once, as they were first known, and leave with their import."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from edge_assets.store.analytics.findings import FindingScope, decide_finding, find_or_record_finding
from edge_assets.store.models.statistics import load_statistics
from edge_assets.store.postgres.database import connect
from ml.game_statistics import Statistic

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HS,AS,HST,AST,HC,AC,B365H,B365D,B365A\n"
FIRST = "E0,10/08/2019,12:30,Reds,Blues,2,1,H,1,0,14,9.0,6,3,,,2,3,4\n"
UPCOMING = "E0,17/08/2019,12:30,Blues,Greens,,,,,,,,,,,,2,3,4\n"
CORRECTED = FIRST.replace("14,9.0", "15,9.0")
SWAPPED = "E0,10/08/2019,12:30,Blues,Reds,1,2,A,0,1,9,14,3,6,,,4,3,2\n"
START, TWO_HOURS = 1_565_436_600_000_000, 7_200_000_000


def run(url: str, path: Path, text: str) -> ImportReport:
    path.write_text(HEAD + text)
    with Importer(url, "run-1") as one:
        return one.run(Source.FOOTBALL_DATA, [path])


def load_known(url: str) -> dict[str, tuple[int, int, int]]:
    with closing(connect(url, "test")) as conn:
        _, statistic, home, away, known_at = load_statistics(conn, "soccer")
    rows = zip(statistic.tolist(), home.tolist(), away.tolist(), known_at.tolist(), strict=True)
    return {Statistic(number).key: tuple(found) for number, *found in rows}


@pytest.mark.parametrize("again", [FIRST + UPCOMING, CORRECTED, SWAPPED])
def test_statistics_stay_as_first_known(database_url: str, tmp_path: Path, again: str) -> None:
    report = run(database_url, tmp_path / "E0.csv", FIRST)
    at = START + TWO_HOURS
    first = {"shots": (14, 9, at), "shots_on_target": (6, 3, at), "half_time_goals": (1, 0, at)}
    assert report.statistics == 3
    assert load_known(database_url) == first
    run(database_url, tmp_path / "again.csv", again)
    assert load_known(database_url) == first


def test_an_import_held_out_takes_its_statistics_with_it(database_url: str, tmp_path: Path) -> None:
    run(database_url, tmp_path / "E0.csv", FIRST)
    run(database_url, tmp_path / "again.csv", CORRECTED)
    with closing(connect(database_url, "test")) as conn:
        [first] = conn.execute("SELECT min(id) FROM imports").fetchone() or (0,)
        finding = find_or_record_finding(conn, FindingScope(import_id=first), "ada", "the wrong file")
        decide_finding(conn, finding, "withdrawn", "ada", "wrong")
    assert load_known(database_url)["shots"][:2] == (15, 9)
