"""`edge import`: counts as JSON and text, problems with a remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.edge_assets.importers.formats.test_football_download import site
from tests.support.football_files import HEAD, MATCHES, season

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge


def test_counts_as_json_and_as_text(edge: Edge, database_url: str, tmp_path: Path) -> None:
    file = season(tmp_path / "files" / "E0.csv", *MATCHES, MATCHES[0].replace(",2,1,H", ",2,1,A"))
    done = edge("import", "football-data", str(file), "--json", DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts | {"ticks": 21, "files": 1, "rows": 3, "events": 3} == counts
    assert counts["rejected"] == {"result_contradicts_score": 1}
    assert "files/E0.csv, row 5, FTR: result_contradicts_score" in done.stderr
    again = edge("import", "football-data", str(file), DATABASE_URL=database_url)
    assert "known files" in again.stdout


def test_leagues_are_fetched_and_imported(edge: Edge, database_url: str, tmp_path: Path) -> None:
    body = "\n".join([HEAD, *MATCHES]).encode()
    with site({"/1920/E0.csv": [(200, body)]}) as (url, _):
        words = ("import", "football-data", "--league", "E0", "--season", "1920", "--json")
        done = edge(*words, DATABASE_URL=database_url, FOOTBALL_DATA_URL=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == 3
    assert (tmp_path / "home" / "downloads" / "football-data" / "1920" / "E0.csv").read_bytes() == body


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        (["tea-leaves", "x"], "unknown import format 'tea-leaves'", "football-data, odds-api"),
        (["football-data"], "nothing to import", "give a PATH"),
        (["football-data", "nowhere"], "nowhere: nothing_there", "check the path"),
        (["football-data", "--league", "E0"], "go together", "--season 2324"),
        (["football-data", "--league", "E9", "--season", "2324"], "league_unknown", "one of E0"),
    ],
)
def test_problems_are_reported(edge: Edge, database_url: str, words: list[str], problem: str, remedy: str) -> None:
    done = edge("import", *words, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert problem in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_database_the_remedy_is_edge_up(edge: Edge, tmp_path: Path) -> None:
    file = season(tmp_path / "E0.csv", *MATCHES)
    assert "edge up" in edge("import", "football-data", str(file)).stderr
    away = edge("import", "football-data", str(file), DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x")
    assert "does not answer" in away.stderr
    assert "hunter2" not in away.stdout + away.stderr
