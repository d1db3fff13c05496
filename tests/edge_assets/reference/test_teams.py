from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from edge_assets.reference.teams import (
    canonical_name,
    is_college_sport,
    iter_aliases,
    load_aliases,
    normalize_name,
    team_key,
)

if TYPE_CHECKING:
    from pathlib import Path

EPL, MLB, NFL, NHL = "soccer_epl", "baseball_mlb", "americanfootball_nfl", "icehockey_nhl"
MLS, NCAAF, NCAAB = "soccer_usa_mls", "americanfootball_ncaaf", "basketball_ncaab"


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
        (MLS, "LAFC", "Los Angeles FC"),
        (MLS, "Los Angeles Galaxy", "LA Galaxy"),
        (MLS, "St Louis CITY SC", "Saint Louis City"),
        (NCAAB, "UConn Huskies", "Connecticut Huskies"),
        (NCAAB, "UConn", "Connecticut"),
        (NCAAF, "UMass", "Massachusetts Minutemen"),
        (NCAAF, "App State", "Appalachian St Mountaineers"),
        (NCAAF, "Ole Miss", "Mississippi Rebels"),
        (NCAAF, "Mississippi St Bulldogs", "Mississippi State"),
        (NCAAF, "Hawai\u02bbi Rainbow Warriors", "Hawaii"),
        (NCAAF, "San José State Spartans", "San Jose St"),
        (NCAAB, "Saint John's Red Storm", "St. John's"),
        ("soccer_denmark_superliga", "FC Copenhagen", "FC København"),
        ("soccer_denmark_superliga", "Brøndby IF", "Broendby"),
        (EPL, "Manchester Utd", "Man United"),
        (EPL, "Man. City", "Manchester City"),
        (EPL, "Spurs", "Tottenham"),
        (EPL, "Wolves", "Wolverhampton Wanderers"),
        ("soccer_france_ligue_one", "PSG", "Paris Saint-Germain FC"),
        ("soccer_germany_bundesliga", "FC Bayern München", "Bayern"),
        ("soccer_italy_serie_a", "Internazionale", "Inter"),
        ("soccer_portugal_primeira_liga", "Sporting CP", "Sporting"),
        ("soccer_turkey_super_league", "Kas\u0131mpaşa", "Kasimpasa"),
        ("soccer_iceland", "Þór Akureyri", "Thor Akureyri"),
        ("soccer_iceland", "Víðir", "Vidir"),
        ("soccer_poland_ekstraklasa", "Śląsk Wrocław", "Slask Wroclaw"),
        ("soccer_germany_bundesliga2", "Preußen Münster", "Preussen Munster"),
        ("soccer_greece_super_league", "ΝΟΤΟΣ", "Νότος"),
        ("soccer_russia_premier_league", "ЗЕНИТ", "Зенит"),
        ("soccer_japan_j_league", "ガンバ大阪", "ガンバ大阪"),
        ("soccer_japan_j_league", "\uff26・マリノス", "F・マリノス"),
        (NFL, "KC", "Kansas City Chiefs"),
        (NHL, "N.Y. Rangers", "NYR"),
    ],
)
def test_names_of_the_same_team(sport: str, one: str, other: str) -> None:
    assert team_key(sport, one) == team_key(sport, other) != ""


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
        (NCAAF, "Washington", "Washington State"),
        (NCAAF, "Miami (OH) RedHawks", "Miami Hurricanes"),
        (NCAAB, "St. John's", "St. Joseph's"),
        (NCAAB, "USC Trojans", "South Carolina Gamecocks"),
        (MLS, "LAFC", "LA Galaxy"),
        ("soccer_brazil_campeonato", "Inter", "Inter Milan"),
        ("soccer_argentina_primera_division", "Arsenal", "Racing"),
        ("soccer_greece_super_league", "ΝΟΤΟΣ", "ΒΟΡΡΑΣ"),
        ("soccer_greece_super_league", "ΝΟΤΟΣ", "Запад"),
        ("soccer_japan_j_league", "ガンバ", "カンハ"),
        ("soccer_china_superleague", "北京国安", "上海申花"),
    ],
)
def test_names_of_different_teams(sport: str, one: str, other: str) -> None:
    assert team_key(sport, one) != team_key(sport, other)


def test_an_unlisted_name_is_its_own_canonical_name() -> None:
    assert canonical_name(EPL, "  Nowhere   Rovers ") == "Nowhere Rovers"


def test_the_sport_decides_between_teams_named_washington() -> None:
    assert canonical_name(NFL, "Washington") == "Washington Commanders"
    assert canonical_name(MLB, "Washington") == "Washington Nationals"
    assert canonical_name(NCAAF, "Washington") == "Washington Huskies"
    assert team_key(NFL, "Washington") == "washingtoncommanders"


@pytest.mark.parametrize("name", ["", " ", "???", "⚽⚽", "\u0301", "\u200b", "\x00"])
def test_a_name_without_letters_has_no_key(name: str) -> None:
    assert team_key(EPL, name) == ""


def sport_of(section: str) -> str:
    return NCAAF if section == "college" else f"{section}_x"


@pytest.mark.parametrize("section", load_aliases())
def test_no_name_belongs_to_two_teams(section: str) -> None:
    """No alias belongs to two teams, and no team's name is another's alias."""
    sport, meant = sport_of(section), defaultdict[str, set[str]](set)
    for name in load_aliases()[section]:
        meant[normalize_name(sport, name)].add(name)
    for name, other in iter_aliases(section):
        meant[normalize_name(sport, other)].add(name)
    assert {key: names for key, names in meant.items() if len(names) > 1 or not key} == {}


@pytest.mark.parametrize("section", load_aliases())
def test_canonical_names_are_their_own_canonical_name(section: str) -> None:
    sport = sport_of(section)
    for name in load_aliases()[section]:
        assert team_key(sport, name) == normalize_name(sport, name)


def test_the_nfl_table_has_the_names_of_the_odds_api(data_dir: Path) -> None:
    """Canonical names are those of The Odds API, so that stored events keep theirs."""
    events = data_dir / "nfl_2025_ticks" / "nfl_events.csv"
    nfl = {row["home_team"] for row in csv.DictReader(events.read_text().splitlines())}
    assert nfl == load_aliases()[NFL].keys()


def test_college_sports_are_recognized_by_key() -> None:
    assert [is_college_sport(sport) for sport in (NCAAF, NCAAB, NFL, EPL)] == [True, True, False, False]


def test_team_keys_are_unique_within_recorded_leagues(data_dir: Path) -> None:
    for path in (data_dir / "football_data_uk").glob("*/*.csv"):
        names: dict[str, set[str]] = defaultdict(set)
        for row in csv.DictReader(path.read_text(encoding="latin-1").splitlines()):
            if team := row.get("HomeTeam"):
                names[team_key(EPL, team)].add(team)
        assert all(len(group) == 1 for group in names.values()), path
