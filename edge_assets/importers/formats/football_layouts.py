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
from edge_assets.reference.sports import load_known_sports

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPORTS_BY_CODE = {
    sport.football_data: (key, sport) for key, sport in load_known_sports().items() if sport.football_data
}
SPORTS_BY_DIVISION = {code: key for code, (key, sport) in _SPORTS_BY_CODE.items() if not sport.football_data_country}
"""Our sport by division: The Odds API's key, or one in its style where it has none."""
EXTRA_LEAGUES = {
    code: (sport.football_data_country, key)
    for code, (key, sport) in _SPORTS_BY_CODE.items()
    if sport.football_data_country
}
"""The country as the files write it, and our sport, by the name of the league's file."""
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
