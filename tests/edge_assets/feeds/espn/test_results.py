"""Only finished games have results; the score after regulation is given only where it is certain."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.feeds.espn.errors import EspnMalformedBodyError
from edge_assets.feeds.espn.results import parse_board
from ml.game_statistics import Statistic
from ml.settlement import GameReport, GameStatus, Score
from tests.support.mutations import mutate
from tests.support.scoreboards import board, event, parse_finished, soccer

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60.0


def report(entry: dict[str, Any]) -> GameReport:
    [game], rejected = parse_finished(board(entry))
    assert not rejected
    return game.report


def two_home_sides() -> dict[str, Any]:
    entry = event()
    for side in entry["competitions"][0]["competitors"]:
        side["homeAway"] = "home"
    return entry


def test_a_game_that_ends_in_regulation() -> None:
    [game], rejected = parse_finished(board(event()))
    assert game[1:] == (
        "Seattle Seahawks",
        "Los Angeles Rams",
        datetime(2025, 11, 10, 18, tzinfo=UTC),
        GameReport.final(Score(24, 17), Score(24, 17)),
    )
    assert not rejected


@pytest.mark.parametrize(
    ("status", "state"),
    [("STATUS_SCHEDULED", "pre"), ("STATUS_IN_PROGRESS", "in"), ("STATUS_HALFTIME", "in"), ("STATUS_SUSPENDED", "in")],
)
def test_an_unfinished_game_has_no_result(status: str, state: str) -> None:
    assert parse_finished(board(event(status=status, state=state, completed=False))) == ([], Counter())


def test_regulation_is_the_sum_of_tied_periods() -> None:
    periods = ((7, 3, 7, 3, 6), (0, 10, 3, 7, 0))
    assert report(event(score=("26", "20"), period=5, periods=periods)) == GameReport.final(
        Score(26, 20), Score(20, 20)
    )


@pytest.mark.parametrize(
    "periods",
    [
        ((), ()),
        ((7, 3, 7), (0, 10, 3)),
        ((7, 3, 7, None, 6), (0, 10, 3, 7, 0)),
        ((7, 3, 7, 4, 6), (0, 10, 3, 7, 0)),
    ],
)
def test_incomplete_periods_leave_regulation_unknown(periods: tuple[list[float | None], list[float | None]]) -> None:
    assert report(event(score=("26", "20"), period=5, periods=periods)) == GameReport.final(Score(26, 20))
    assert report(event(period=5, regulation=None)) == GameReport.final(Score(24, 17))


def test_an_ice_hockey_shoot_out_counts_as_one_goal() -> None:
    periods = ((1, 0, 1, 0, 1), (0, 1, 1, 0, 0))
    found = report(event(score=("3", "2"), period=5, regulation=3, periods=periods))
    assert found == GameReport.final(Score(3, 2), Score(2, 2))


def test_extra_innings_and_a_rain_shortened_game() -> None:
    nine = [0.0] * 8 + [2.0]
    long = event(score=("3", "2"), period=10, regulation=9, periods=([*nine, 1.0], [*nine, 0.0]))
    assert report(long) == GameReport.final(Score(3, 2), Score(2, 2))
    assert report(event(score=("4", "1"), period=6, regulation=9)) == GameReport(GameStatus.SHORTENED, Score(4, 1))


def test_soccer_regulation_is_computed_from_the_goals() -> None:
    goals = [("home", 24 * MINUTE), ("away", 5_400.0), ("home", 92 * MINUTE), ("away", 103 * MINUTE), ("home", 7_200.0)]
    found = report(soccer("Argentina", "Cape Verde", ("3", "2"), status="STATUS_FINAL_AET", period=4, goals=goals))
    # the equaliser at 90'+4' has 5400 seconds
    assert found == GameReport.final(Score(3, 2), Score(1, 1))


def test_a_second_leg_may_have_extra_time_without_a_draw() -> None:
    goals = [("home", 30 * MINUTE), ("home", 100 * MINUTE)]
    found = report(soccer("Arsenal", "Porto", ("2", "0"), status="STATUS_FINAL_AET", period=4, goals=goals))
    assert found == GameReport.final(Score(2, 0), Score(1, 0))


def test_penalty_shoot_outs_do_not_count() -> None:
    values: dict[str, Any] = {"status": "STATUS_FINAL_PEN", "period": 5, "shootout": ["home", "away", "home"]}
    goals = [("home", 10 * MINUTE), ("away", 50 * MINUTE)]
    drawn = GameReport.final(Score(1, 1), Score(1, 1))
    assert report(soccer("Germany", "Paraguay", ("1", "1"), goals=goals, **values)) == drawn
    nil = GameReport.final(Score(0, 0), Score(0, 0))
    assert report(soccer("Switzerland", "Colombia", ("0", "0"), **values)) == nil


def test_goals_that_contradict_the_score_are_ignored() -> None:
    values: dict[str, Any] = {"status": "STATUS_FINAL_AET", "period": 4}
    for goals in ([], [("home", 10 * MINUTE)], [("home", 10 * MINUTE), ("elsewhere", 11 * MINUTE)]):
        found = report(soccer("Norway", "England", ("1", "2"), goals=goals, **values))
        assert found == GameReport.final(Score(1, 2))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("STATUS_POSTPONED", GameReport(GameStatus.POSTPONED)),
        ("STATUS_CANCELED", GameReport(GameStatus.NOT_PLAYED)),
        ("STATUS_FORFEIT", GameReport(GameStatus.NOT_PLAYED)),
        ("STATUS_WALKOVER", GameReport(GameStatus.NOT_PLAYED)),
        ("STATUS_ABANDONED", GameReport(GameStatus.ABANDONED, Score(24, 17))),
    ],
)
@pytest.mark.parametrize("completed", [True, False])
def test_games_without_a_final_score(status: str, expected: GameReport, completed: bool) -> None:
    assert report(event(status=status, completed=completed)) == expected


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (event(score=("", "17")), "score_not_a_number"),
        (event(score=("24.5", "17")), "score_not_a_number"),
        (event(score=("²", "17")), "score_not_a_number"),
        (event(score=("9" * 5_001, "17")), "score_not_a_number"),
        ({"id": "1"}, "not_two_sides"),
        (event("\x00"), "team_without_name"),
        (event(status="STATUS_AWARDED", score=("3", "0")), "score_awarded"),
        (event(date="0001-01-01T00:00+02:00"), "start_not_a_time"),
        (event(status="STATUS_RAIN_DELAY"), "unknown_status"),
        (event(date="soon"), "start_not_a_time"),
        (event() | {"competitions": []}, "not_two_sides"),
        (event() | {"competitions": event()["competitions"] * 2}, "not_two_sides"),
        (
            event()
            | {"competitions": [c | {"competitors": c["competitors"][:1] * 2} for c in event()["competitions"]]},
            "not_two_sides",
        ),
    ],
)
def test_an_invalid_game_is_counted_and_the_others_are_kept(wrong: dict[str, Any], reason: str) -> None:
    games, rejected = parse_finished(board(event(), wrong, event()))
    assert len(games) == 2
    assert rejected == {reason: 1}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"events": {}}', b'{"events": ', b"\xff"])
def test_a_body_that_is_not_a_scoreboard(body: bytes) -> None:
    with pytest.raises(EspnMalformedBodyError):
        parse_finished(body)


def event_with_change(where: str, value: object, **values: Any) -> dict[str, Any]:
    """A finished game with one part replaced: `competitions.0.format`."""
    entry = event(**values)
    *path, last = where.split(".")
    part: Any = entry
    for step in path:
        part = part[int(step) if step.isdecimal() else step]
    part[int(last) if last.isdecimal() else last] = value
    return entry


@pytest.mark.parametrize("value", [None, 7, "text", [], [None], {"regulation": None}])
@pytest.mark.parametrize(
    "where", ["competitions.0.format", "competitions.0.details", "competitions.0.competitors.1.linescores"]
)
def test_optional_parts_may_have_any_type(where: str, value: object) -> None:
    assert report(event_with_change(where, value)).full == Score(24, 17)


@pytest.mark.parametrize("score", [24, 24.0, "24", " 24 ", {"value": 24.0}, {"value": None, "displayValue": "24"}])
def test_a_score_may_be_written_in_several_ways(score: object) -> None:
    assert report(event_with_change("competitions.0.competitors.1.score", score)).full == Score(24, 17)


@pytest.mark.parametrize("score", [None, "", True, -1, 24.5, [], {}, {"value": "many"}, 2**62, float("1e300")])
def test_a_score_that_is_not_a_number_is_rejected(score: object) -> None:
    invalid = event_with_change("competitions.0.competitors.1.score", score)
    assert parse_finished(board(invalid, event()))[1] == {"score_not_a_number": 1}


def test_ids_may_be_numbers_and_starts_without_a_zone_are_utc() -> None:
    invalid = event_with_change("competitions.0.competitors.1.team.id", 12, date="2025-11-10T18:00") | {"id": 401}
    [game], _ = parse_finished(board(invalid))
    assert (game.id, game.start) == ("401", datetime(2025, 11, 10, 18, tzinfo=UTC))


@pytest.mark.parametrize("completed", [None, "true", 1])
def test_a_game_without_a_completed_flag_has_no_result(completed: object) -> None:
    invalid = event_with_change("competitions.0.status.type.completed", completed)
    assert parse_finished(board(invalid, event()))[1] == {"completed_missing": 1}


def test_a_goal_without_a_time_leaves_regulation_unknown() -> None:
    goals = [("home", 600.0), ("away", 900.0), ("home", 6_000.0)]
    match = soccer("Spain", "Italy", ("2", "1"), status="STATUS_FINAL_AET", period=4, goals=goals)
    assert report(match).regulation == Score(1, 1)
    del match["competitions"][0]["details"][1]["clock"]
    assert report(match) == GameReport.final(Score(2, 1))


@pytest.mark.parametrize("body", [b"{}", b'{"leagues": []}', b'{"events": null}'])
def test_a_scoreboard_without_events_is_counted(body: bytes) -> None:
    assert parse_finished(body) == ([], {"board_without_events": 1})


def test_a_lone_surrogate_is_dropped() -> None:
    body = board(event(), event("Stray")).replace(b"Stray", b"Na\\ud83d")
    games, rejected = parse_finished(body)
    assert [game.home for game in games] == ["Seattle Seahawks", "Na"]
    assert not rejected


ENTRIES = [
    event(),
    soccer("Spain", "Italy", ("2", "1"), status="STATUS_FINAL_AET", period=4, goals=[("home", 600.0)]),
    event("Chicago Bears", "Green Bay Packers", status="STATUS_POSTPONED"),
]


@given(st.data())
def test_one_invalid_game_never_affects_the_others(data: st.DataObject) -> None:
    """Any node of a game dropped, replaced, duplicated or reordered: all games are read or counted as rejected."""
    place = data.draw(st.integers(0, len(ENTRIES) - 1))
    entries = [*ENTRIES]
    entries[place] = data.draw(mutate(ENTRIES[place]))
    games, rejected = parse_finished(msgspec.json.encode({"events": entries}))
    alone = [parse_finished(board(entry)) for entry in ENTRIES]
    found = set(games)
    assert {game for n, (own, _) in enumerate(alone) if n != place for game in own} <= found
    assert rejected.total() <= 1
    assert len(games) + rejected.total() <= len(entries)


def test_the_captured_world_cup_has_all_regulation_scores(data_dir: Path) -> None:
    """32 knock-out matches: 23 decided in regulation, 5 in extra time, 4 on penalties."""
    body = (data_dir / "espn" / "04_soccer_scoreboard_wc2026.json").read_bytes()
    games, rejected = parse_finished(body)
    assert len(games) == 32
    assert not rejected
    assert all(game.report.status is GameStatus.FINAL and game.report.regulation for game in games)
    longer = [g for g in msgspec.json.decode(body)["events"] if g["status"]["period"] > 2]
    reports = {game.id: game.report for game in games}
    assert len(longer) == 9
    for game in longer:
        regulation = reports[game["id"]].regulation
        assert regulation is not None
        # a single match has extra time only after a draw
        assert regulation.home == regulation.away
    final = reports["760517"]
    assert (final.full, final.regulation) == ((1, 0), (0, 0))


def test_statistics_are_those_of_ninety_minutes(data_dir: Path) -> None:
    games, _ = parse_board((data_dir / "espn" / "04_soccer_scoreboard_wc2026.json").read_bytes())
    ended_in_regulation = {game.id for game in games if game.report and game.report.full == game.report.regulation}
    counted = {game.id for game in games if game.statistics}
    assert counted
    assert counted <= ended_in_regulation
    assert dict(games[0].statistics) == {
        Statistic.SHOTS: (6, 12),
        Statistic.SHOTS_ON_TARGET: (1, 7),
        Statistic.CORNERS: (1, 4),
        Statistic.FOULS: (10, 16),
    }


@pytest.mark.parametrize(
    ("name", "games"),
    [
        ("01_nba_scoreboard_live", 0),
        ("05_soccer_event_pre_odds", 0),
        ("06_soccer_event_live_second_half", 0),
        ("07_soccer_event_halftime", 0),
        ("08_soccer_event_post_oddsnull", 1),
        ("09_soccer_event_final_pen", 1),
    ],
)
def test_captured_scoreboards(data_dir: Path, name: str, games: int) -> None:
    found, rejected = parse_finished((data_dir / "espn" / f"{name}.json").read_bytes())
    assert len(found) == games
    assert not rejected
