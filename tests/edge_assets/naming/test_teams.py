from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from edge_assets.naming import canonical, sides
from edge_assets.naming.teams import comparable

if TYPE_CHECKING:
    from pathlib import Path

TABLES = tomllib.loads(files("edge_assets.naming").joinpath("teams.toml").read_text(encoding="utf-8"))
EPL, MLB, NFL, NHL = "soccer_epl", "baseball_mlb", "americanfootball_nfl", "icehockey_nhl"


@pytest.mark.parametrize(
    ("sport", "one", "other"),
    [
        (EPL, "Man United", "Manchester United"),
        (EPL, "Nott'm Forest", "Nottingham Forest FC"),
        (EPL, "Nott\u2019m Forest", "nottingham  forest"),
        (EPL, "AFC Bournemouth", "Bournemouth"),
        (EPL, "Brighton", "Brighton & Hove Albion"),
        ("soccer_germany_bundesliga", "FC Koln", "1. FC Köln"),
        ("soccer_germany_bundesliga", "M'gladbach", "Borussia Mönchengladbach"),
        ("soccer_spain_la_liga", "Ath Madrid", "Atletico Madrid"),
        ("soccer_france_ligue_one", "Paris SG", "Paris Saint-Germain"),
        (NHL, "Montréal Canadiens", "Montreal Canadiens"),
        (NHL, "St Louis Blues", "St. Louis Blues"),
        (NFL, "L.A. Rams", "Los Angeles Rams"),
        (MLB, "Oakland Athletics", "Athletics"),
        (MLB, "Cleveland Indians", "Cleveland Guardians"),
    ],
)
def test_names_of_one_team(sport: str, one: str, other: str) -> None:
    assert comparable(sport, canonical(sport, one)) == comparable(sport, canonical(sport, other))


@pytest.mark.parametrize(
    ("sport", "one", "other"),
    [
        (EPL, "Manchester United", "Manchester City"),
        ("soccer_spain_segunda_division", "Villarreal", "Villarreal B"),
        ("soccer_spl", "Dundee", "Dundee United"),
        ("soccer_france_ligue_two", "Bastia", "CA Bastia"),
        ("soccer_france_ligue_two", "Paris FC", "Paris SG"),
        ("soccer_england_league2", "Newport County", "Notts County"),
        (NFL, "N.Y. Giants", "N.Y. Jets"),
        (MLB, "Chicago Cubs", "Chicago White Sox"),
        (EPL, "FC", "AFC"),
    ],
)
def test_names_of_two_teams(sport: str, one: str, other: str) -> None:
    assert comparable(sport, canonical(sport, one)) != comparable(sport, canonical(sport, other))


def test_a_name_that_nobody_listed_stays_as_it_is() -> None:
    assert canonical(EPL, "  Nowhere   Rovers ") == "Nowhere Rovers"


def test_the_sport_tells_which_washington() -> None:
    assert canonical(NFL, "Washington") == "Washington Commanders"
    assert canonical(MLB, "Washington") == "Washington"
    assert sides(NFL, "Washington", "Dallas") == ("washingtoncommanders", "dallascowboys")


@pytest.mark.parametrize("sport", TABLES)
def test_what_an_alias_leads_to_is_not_an_alias_itself(sport: str) -> None:
    for name in TABLES[sport].values():
        assert comparable(sport, canonical(sport, name)) == comparable(sport, name)


def test_no_two_teams_of_a_recorded_league_have_one_name(data_dir: Path) -> None:
    for path in (data_dir / "football_data_uk").glob("*/*.csv"):
        names: dict[str, set[str]] = defaultdict(set)
        for row in csv.DictReader(path.read_text(encoding="latin-1").splitlines()):
            if team := row.get("HomeTeam"):
                names[comparable(EPL, canonical(EPL, team))].add(team)
        assert all(len(group) == 1 for group in names.values()), path
