"""What `/scores` says of finished games."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge_assets.feeds.odds_api import wire
from edge_assets.feeds.odds_api.scores import finished_games, has_scores
from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from pathlib import Path

NFL = "americanfootball_nfl"


def score(points: dict[str, str] | None, **values: Any) -> dict[str, Any]:
    """A game of Eagles against Commanders."""
    return {
        "id": "e1",
        "sport_key": NFL,
        "sport_title": "NFL",
        "commence_time": "2024-11-15T01:15:00Z",
        "completed": True,
        "home_team": "Eagles",
        "away_team": "Commanders",
        "scores": points and [{"name": name, "score": text} for name, text in points.items()],
        "last_update": None,
        **values,
    }


def read(sport: str, *sent: dict[str, Any]) -> tuple[list[Any], Counter[str]]:
    return finished_games(sport, wire.decode(msgspec.json.encode(sent), list[wire.Score]))


def test_scores_are_told_by_name() -> None:
    games, rejected = read(NFL, score({"Commanders": "18", "Eagles": "26"}))
    assert games == [("e1", GameReport.final(Score(26, 18)))]
    assert not rejected


def test_what_a_score_counts_is_stated_where_there_is_no_doubt() -> None:
    sent = score({"Eagles": "2", "Commanders": "1"})
    unstated = GameReport(GameStatus.FINAL, unstated=Score(2, 1))
    assert read("soccer_fifa_world_cup", sent)[0][0].report == unstated
    assert read("soccer_germany_bundesliga", sent)[0][0].report == unstated
    assert read("soccer_epl", sent)[0][0].report == GameReport.final(Score(2, 1), Score(2, 1))


@pytest.mark.parametrize("points", [{"Eagles": "3", "Commanders": "0"}, None])
def test_a_game_that_is_not_over_is_no_result(points: dict[str, str] | None) -> None:
    assert read(NFL, score(points, completed=False)) == ([], Counter())


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (None, "completed_without_scores"),
        ({"Eagles": "26"}, "unknown_team"),
        ({"Eagles": "26", "Washington": "18"}, "unknown_team"),
        ({"Eagles": "26", "Commanders": ""}, "score_not_a_number"),
        ({"Eagles": "-1", "Commanders": "0"}, "score_not_a_number"),
        ({"Eagles": "213/4", "Commanders": "0"}, "score_not_a_number"),
        ({"Eagles": "99999", "Commanders": "0"}, "score_not_a_number"),
    ],
)
def test_what_cannot_be_used_is_counted(points: dict[str, str] | None, reason: str) -> None:
    games, rejected = read(NFL, score(points), score({"Eagles": "26", "Commanders": "18"}))
    assert len(games) == 1
    assert rejected == {reason: 1}


def test_fights_and_sets_are_no_scores() -> None:
    assert [has_scores(s) for s in (NFL, "soccer_epl", "mma_mixed_martial_arts", "tennis_atp_us_open")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "sport", "over"), [("04_scores_nhl_daysfrom", "icehockey_nhl", 3), ("11_scores_nfl_unix", NFL, 1)]
)
def test_captured_answers(data_dir: Path, name: str, sport: str, over: int) -> None:
    body = (data_dir / "odds_api" / "payloads" / f"{name}.json").read_bytes()
    games, rejected = finished_games(sport, wire.decode(body, list[wire.Score]))
    assert len(games) >= over
    assert not rejected
    if sport == NFL:
        assert games[0].report == GameReport.final(Score(26, 18))
