"""Results of finished games from `/scores`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.feeds.odds_api import wire
from edge_assets.feeds.odds_api.entries import read_entries
from edge_assets.feeds.odds_api.errors import InvalidJsonError, MalformedBodyError, UnsupportedVersionError
from edge_assets.feeds.odds_api.scores import has_scores, parse_finished_games
from ml.settlement import GameReport, GameStatus, Score
from tests.support.mutations import mutate

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
    found, dropped, _ = read_entries(msgspec.json.encode(sent), wire.WireScore)
    games, rejected = parse_finished_games(sport, found)
    return games, rejected + dropped


def test_scores_are_assigned_by_name() -> None:
    games, rejected = read(NFL, score({"Commanders": "18", "Eagles": "26"}))
    assert games == [("e1", "Eagles", "Commanders", GameReport.final(Score(26, 18)))]
    assert not rejected


def test_regulation_is_stated_only_where_it_is_certain() -> None:
    sent = score({"Eagles": "2", "Commanders": "1"})
    unstated = GameReport(GameStatus.FINAL, unstated=Score(2, 1))
    assert read("soccer_fifa_world_cup", sent)[0][0].report == unstated
    assert read("soccer_germany_bundesliga", sent)[0][0].report == unstated
    assert read("soccer_epl", sent)[0][0].report == GameReport.final(Score(2, 1), Score(2, 1))


@pytest.mark.parametrize("points", [{"Eagles": "3", "Commanders": "0"}, None])
def test_an_unfinished_game_has_no_result(points: dict[str, str] | None) -> None:
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
        ({"Eagles": "9" * 50, "Commanders": "0"}, "score_not_a_number"),
        ({"Eagles": "\u00b2", "Commanders": "0"}, "score_not_a_number"),
        ({"Eagles": "3.0", "Commanders": "0"}, "score_not_a_number"),
    ],
)
def test_unusable_scores_are_counted(points: dict[str, str] | None, reason: str) -> None:
    games, rejected = read(NFL, score(points, id="e0"), score({"Eagles": "26", "Commanders": "18"}))
    assert [game.event for game in games] == ["e1"]
    assert rejected == {reason: 1}


VALID = score({"Eagles": "26", "Commanders": "18"}, id="valid")


@pytest.mark.parametrize(
    ("invalid", "reasons"),
    [
        ({"completed": None}, {"malformed_entry": 1}),
        ({"completed": "perhaps"}, {"malformed_entry": 1}),
        ({"id": None}, {"malformed_entry": 1}),
        ({"commence_time": None}, {"malformed_entry": 1}),
        ({"commence_time": "soon"}, {"malformed_entry": 1}),
        ({"last_update": "soon"}, {"malformed_last_update": 1}),
        ({"last_update": 2**62}, {"malformed_last_update": 1}),
        ({"sport_title": None}, {}),
        ({"home_team": None}, {"unknown_team": 1}),
        ({"home_team": "x" * 9_000}, {"malformed_home_team": 1, "unknown_team": 1}),
        ({"scores": [{"name": "Eagles", "score": "26"}, None]}, {"malformed_scores": 1, "completed_without_scores": 1}),
        ({"scores": [{"name": "Eagles", "score": "1"}] * 2}, {"unknown_team": 1}),
        ({"scores": [{"name": "Eagles"}, {"name": "Commanders"}]}, {"score_not_a_number": 1}),
    ],
)
def test_an_invalid_entry_does_not_affect_the_others(invalid: dict[str, Any], reasons: dict[str, int]) -> None:
    games, rejected = read(NFL, VALID, score({"Eagles": "26", "Commanders": "18"}) | invalid)
    assert "valid" in {game.event for game in games}
    assert rejected == reasons


def test_numbers_as_text_and_invisible_differences_in_names_are_accepted() -> None:
    entry = score(None, id=13, home_team="Ea\u00adgles\x00", away_team="COMMANDERS\u00a0")
    entry["scores"] = [{"name": "Commanders ", "score": 18.0}, {"name": "Eagles", "score": 26}]
    games, rejected = read(NFL, entry)
    assert [(game.event, game.report) for game in games] == [("13", GameReport.final(Score(26, 18)))]
    assert not rejected


def test_a_duplicate_game_counts_once_and_contradictory_ones_are_dropped() -> None:
    other = score({"Eagles": "18", "Commanders": "26"}, id="valid")
    assert read(NFL, VALID, VALID)[1] == {"listed_twice": 1}
    assert len(read(NFL, VALID, VALID)[0]) == 1
    assert read(NFL, VALID, other) == ([], {"listed_twice": 1, "listed_with_two_scores": 1})


def test_a_lone_surrogate_is_dropped_and_a_body_must_be_a_list() -> None:
    body = msgspec.json.encode([VALID, score(None, id="half", completed=False, sport_title="NFL!")])
    found, dropped, _ = read_entries(body.replace(b"NFL!", b"NFL\\ud83d"), wire.WireScore)
    assert [entry.sport_title for entry in found] == ["NFL", "NFL"]
    assert not dropped
    for wrong, error in (
        (body[:-9], InvalidJsonError),
        (b"[" * 100_000, InvalidJsonError),
        (b"{}", MalformedBodyError),
        (b"null", MalformedBodyError),
        (b'{"success": true, "data": []}', UnsupportedVersionError),
    ):
        with pytest.raises(error):
            read_entries(wrong, wire.WireScore)


@pytest.mark.parametrize(
    ("kind", "valid"),
    [
        (wire.WireScore, VALID),
        (wire.WireEvent, {key: VALID[key] for key in ("id", "sport_key", "sport_title", "commence_time", "home_team")}),
        (
            wire.WireSport,
            {"key": "a", "group": "b", "title": "c", "description": "d", "active": True, "has_outrights": False},
        ),
    ],
)
@given(data=st.data())
def test_any_entry_may_be_invalid(kind: type[msgspec.Struct], valid: dict[str, Any], data: st.DataObject) -> None:
    sent = data.draw(mutate([valid, valid, valid]))
    found, rejected, _ = read_entries(msgspec.json.encode(sent), kind)
    assert len(sent) - 1 <= len(found) <= len(sent)
    assert len(found) + rejected["malformed_entry"] == len(sent)
    if kind is wire.WireScore:
        games, unusable = parse_finished_games(NFL, found)  # type: ignore[arg-type]
        assert len(games) <= 2
        assert unusable.total() + len(games) + sum(not entry.completed for entry in found) >= len(found)  # type: ignore[attr-defined]


def test_scores_of_fights_and_sets_are_not_used() -> None:
    assert [has_scores(s) for s in (NFL, "soccer_epl", "mma_mixed_martial_arts", "tennis_atp_us_open")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "sport", "over"), [("04_scores_nhl_daysfrom", "icehockey_nhl", 3), ("11_scores_nfl_unix", NFL, 1)]
)
def test_captured_responses(data_dir: Path, name: str, sport: str, over: int) -> None:
    body = (data_dir / "odds_api" / "payloads" / f"{name}.json").read_bytes()
    found, dropped, _ = read_entries(body, wire.WireScore)
    games, rejected = parse_finished_games(sport, found)
    assert not dropped
    assert len(games) >= over
    assert not rejected
    if sport == NFL:
        assert games[0].report == GameReport.final(Score(26, 18))
