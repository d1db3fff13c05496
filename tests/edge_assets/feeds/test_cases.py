"""Collected invalid bodies of the results clients: valid parts are read, and no unexpected error is raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_assets.feeds.espn.errors import EspnMalformedBodyError
from edge_assets.feeds.odds_api import wire
from edge_assets.feeds.odds_api.entries import read_entries
from edge_assets.feeds.odds_api.scores import parse_finished_games
from ml.settlement import GameReport, GameStatus, Score
from tests.support.scoreboards import parse_finished

DATA = os.environ.get("EDGE_DATA_DIR")
CASES = (Path(DATA).parent if DATA else Path(__file__).parents[4] / "shared") / "cases"
NOT_PLAYED, POSTPONED = GameReport(GameStatus.NOT_PLAYED), GameReport(GameStatus.POSTPONED)
WON = GameReport.final(Score(3, 2), Score(3, 2))
BOARDS = {
    "abandoned_completed": [GameReport(GameStatus.ABANDONED, Score(1, 0))],
    "awarded": [],
    "canceled_completed": [NOT_PLAYED],
    "canceled_zero": [NOT_PLAYED],
    "date_naive": [WON],
    "delayed": [],
    "detail_without_clock": [GameReport.final(Score(2, 1))],
    "details_null": [WON],
    "events_missing": [],
    "events_null": [],
    "forfeit": [NOT_PLAYED],
    "linescores_null": [WON],
    "mlb_extra_10": [GameReport.final(Score(3, 2))],
    "mlb_rain_5": [GameReport(GameStatus.SHORTENED, Score(3, 2))],
    "mlb_seven_inning": [WON],
    "nhl_shootout": [GameReport.final(Score(3, 2))],
    "no_sides_one_bad": [WON],
    "penalties": [GameReport.final(Score(1, 1), Score(1, 1))],
    "postponed_no_score": [POSTPONED],
    "score_number": [WON],
    "suspended": [],
    "team_id_number": [WON],
    "tie_nfl": [GameReport.final(Score(20, 20))],
    "walkover": [NOT_PLAYED],
}


def body(folder: str, name: str) -> bytes:
    path = CASES / folder / f"{name}.json"
    if not path.exists():
        reason = f"{path} is missing: the cases belong next to EDGE_DATA_DIR"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path.read_bytes()


@pytest.mark.parametrize("name", BOARDS)
def test_scoreboards(name: str) -> None:
    games, _ = parse_finished(body("espn_boards", name))
    assert [game.report for game in games] == BOARDS[name]


def test_an_html_page_is_not_a_scoreboard() -> None:
    with pytest.raises(EspnMalformedBodyError):
        parse_finished(body("espn_boards", "html"))


VALID = GameReport.final(Score(3, 2))
SCORES = {
    "commence_time_null_in_one": ["1"],
    "completed_null_in_one": ["1"],
    "completed_scores_empty": ["1"],
    "completed_scores_null": ["1"],
    "last_update_bad_in_one": ["1", "15"],
    "last_update_naive": ["14"],
    "name_differs": ["1", "8"],
    "not_completed": [],
    "one_score_only": ["1"],
    "order_away_first": ["16"],
    "score_empty": ["1"],
    "score_null_in_one": ["1"],
    "score_superscript": ["1"],
    "score_text_odd": ["1"],
    "sound": ["1"],
    "sport_title_missing_in_one": ["1", "12"],
}


@pytest.mark.parametrize("name", SCORES)
def test_scores(name: str) -> None:
    found, dropped, _ = read_entries(body("scores_bodies", name), wire.WireScore)
    games, rejected = parse_finished_games("baseball_mlb", found)
    assert [game.event for game in games] == SCORES[name]
    assert {game.report for game in games} <= {VALID}
    assert len(games) + dropped["malformed_entry"] + rejected.total() + sum(not f.completed for f in found) == (
        len(found) + dropped["malformed_entry"]
    )


@pytest.mark.parametrize(
    ("name", "keys"),
    [("sports_one_description_null", ["soccer_epl", "x"]), ("sports_one_without_active", ["soccer_epl"])],
)
def test_sports(name: str, keys: list[str]) -> None:
    assert [sport.key for sport in read_entries(body("scores_bodies", name), wire.WireSport).items] == keys
