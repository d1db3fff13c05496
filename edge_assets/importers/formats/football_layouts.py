"""The layouts of match files of football-data.co.uk, and their leagues.

- a season of a main league: `/mmz4281/2324/E0.csv`, until 2005 with `HT` and `AT` for the teams of Greece
- all seasons of an extra league: `/new/ARG.csv`, with closing prices only
- future matches: `/fixtures.csv` and `/new_league_fixtures.csv`, without result columns

Source: https://www.football-data.co.uk/data.php
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.formats.delimited import reject_missing_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

SPORTS_BY_DIVISION = {
    "E0": "soccer_epl",
    "E1": "soccer_efl_champ",
    "E2": "soccer_england_league1",
    "E3": "soccer_england_league2",
    "EC": "soccer_england_national_league",
    "SC0": "soccer_spl",
    "SC1": "soccer_scotland_championship",
    "SC2": "soccer_scotland_league1",
    "SC3": "soccer_scotland_league2",
    "D1": "soccer_germany_bundesliga",
    "D2": "soccer_germany_bundesliga2",
    "I1": "soccer_italy_serie_a",
    "I2": "soccer_italy_serie_b",
    "SP1": "soccer_spain_la_liga",
    "SP2": "soccer_spain_segunda_division",
    "F1": "soccer_france_ligue_one",
    "F2": "soccer_france_ligue_two",
    "N1": "soccer_netherlands_eredivisie",
    "B1": "soccer_belgium_first_div",
    "P1": "soccer_portugal_primeira_liga",
    "T1": "soccer_turkey_super_league",
    "G1": "soccer_greece_super_league",
}
"""Our sport by division: The Odds API's key, or one in its style if it has none."""
EXTRA_LEAGUES = {
    "ARG": ("Argentina", "soccer_argentina_primera_division"),
    "AUT": ("Austria", "soccer_austria_bundesliga"),
    "BRA": ("Brazil", "soccer_brazil_campeonato"),
    "CHN": ("China", "soccer_china_superleague"),
    "DNK": ("Denmark", "soccer_denmark_superliga"),
    "FIN": ("Finland", "soccer_finland_veikkausliiga"),
    "IRL": ("Ireland", "soccer_league_of_ireland"),
    "JPN": ("Japan", "soccer_japan_j_league"),
    "MEX": ("Mexico", "soccer_mexico_ligamx"),
    "NOR": ("Norway", "soccer_norway_eliteserien"),
    "POL": ("Poland", "soccer_poland_ekstraklasa"),
    "ROU": ("Romania", "soccer_romania_superliga"),
    "RUS": ("Russia", "soccer_russia_premier_league"),
    "SWE": ("Sweden", "soccer_sweden_allsvenskan"),
    "SWZ": ("Switzerland", "soccer_switzerland_superleague"),
    "USA": ("USA", "soccer_usa_mls"),
}
"""The country as written in the files and our sport, by the name of the league's file."""
SPORTS_BY_COUNTRY = dict(EXTRA_LEAGUES.values())


class FileLayout(NamedTuple):
    """The column names of a kind of file, and the sports of its leagues."""

    league: str
    home: str
    away: str
    home_goals: str
    away_goals: str
    outcome: str
    sports: Mapping[str, str]
    closing_only: bool = False

    @property
    def match_columns(self) -> tuple[str, str, str, str]:
        """The columns that every file has."""
        return self.league, "Date", self.home, self.away

    @property
    def result_columns(self) -> tuple[str, str, str]:
        """The columns that a file of future matches lacks."""
        return self.home_goals, self.away_goals, self.outcome


LAYOUTS = (
    FileLayout("Div", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "FTR", SPORTS_BY_DIVISION),
    FileLayout("Div", "HT", "AT", "FTHG", "FTAG", "FTR", SPORTS_BY_DIVISION),
    FileLayout("Country", "Home", "Away", "HG", "AG", "Res", SPORTS_BY_COUNTRY, closing_only=True),
)


def detect_layout(file: str, header: tuple[str, ...]) -> FileLayout:
    """The layout that a header fits best.

    Raises:
        RejectedFileError: a required column is missing; the result columns may be missing, but only all three.
    """
    layout = max(LAYOUTS, key=lambda layout: len({*layout.match_columns} & {*header}))
    required = layout.match_columns + (layout.result_columns if {*layout.result_columns} & {*header} else ())
    if missing := [name for name in required if name not in header]:
        raise RejectedFileError(reject_missing_columns(file, header, missing))
    return layout
