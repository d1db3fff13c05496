"""`edge import`: counts as JSON and text, problems with a remedy."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.local.home import Home
from edge_assets.local.plan import StartOptions, make_plan
from edge_assets.local.shutdown import down
from edge_assets.local.survivors import find_stack_processes
from edge_assets.store.postgres.database import ensure_database
from tests.edge_assets.importers.formats.test_football_download import site
from tests.support.embedded_servers import Servers
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
        args = ("import", "football-data", "--league", "E0", "--season", "1920", "--json")
        done = edge(*args, DATABASE_URL=database_url, FOOTBALL_DATA_URL=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == 3
    assert (tmp_path / "home" / "downloads" / "football-data" / "1920" / "E0.csv").read_bytes() == body


@pytest.mark.parametrize(
    ("args", "problem", "remedy"),
    [
        (["tea-leaves", "x"], "unknown import format 'tea-leaves'", "football-data, odds-api"),
        (["football-data"], "nothing to import", "give a PATH"),
        (["football-data", "nowhere"], "nowhere: nothing_there", "check the path"),
        (["football-data", "--league", "E0"], "go together", "--season 2324"),
        (["football-data", "--league", "E9", "--season", "2324"], "league_unknown", "one of E0"),
    ],
)
def test_problems_are_reported(edge: Edge, database_url: str, args: list[str], problem: str, remedy: str) -> None:
    done = edge("import", *args, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert problem in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.untraced
def test_without_a_stack_the_embedded_database_runs_for_the_import(edge: Edge, tmp_path: Path) -> None:
    file, home = season(tmp_path / "E0.csv", *MATCHES), Home.open(tmp_path / "home")
    done = edge("import", "football-data", str(file), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == 3
    assert "importing into database edge_simulate" in done.stderr
    assert "Without ODDS_API_KEY this is the simulation's" in done.stderr
    assert list(find_stack_processes(home)) == []
    again = edge("import", "football-data", str(file), "--json", ODDS_API_KEY="key")
    assert json.loads(again.stdout)["events"] == 3, "the live feed has another database"
    known = edge("import", "football-data", str(file), "--json")
    assert json.loads(known.stdout)["known_files"] == 1
    assert list(find_stack_processes(home)) == []
    with home.lock():
        refused = edge("import", "football-data", str(file))
    assert f"another edge command (pid {os.getpid()}) is using {home.root}" in refused.stderr


def test_an_import_uses_the_server_of_a_stack_and_leaves_it_running(edge: Edge, tmp_path: Path) -> None:
    file, home = season(tmp_path / "E0.csv", *MATCHES), Home.open(tmp_path / "home")
    servers = Servers.of(home)
    servers.start()
    try:
        plan = make_plan(Settings(), home, StartOptions(Feed.SIMULATE))
        replace(plan, database_url=ensure_database(servers.database_url, "edge_simulate")).save(home)
        done = edge("import", "football-data", str(file), "--json")
        assert json.loads(done.stdout)["events"] == 3, done.stderr
        assert servers.pid("postgres")
    finally:
        down(home)


def test_an_unreachable_database_is_reported(edge: Edge, tmp_path: Path) -> None:
    file = season(tmp_path / "E0.csv", *MATCHES)
    away = edge("import", "football-data", str(file), DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x")
    assert "does not answer" in away.stderr
    assert "hunter2" not in away.stdout + away.stderr
