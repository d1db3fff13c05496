"""Games of another source find our events by names and start, or stay nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.ingestion.matching import FARTHEST, match_games

SPORT = "baseball_mlb"
NOON = datetime(2025, 7, 4, 17, tzinfo=UTC)


class Ours(NamedTuple):
    home_team: str
    away_team: str
    commence_at: datetime


class Theirs(NamedTuple):
    home: str
    away: str
    start: datetime


def ours(home: str = "St. Louis Cardinals", away: str = "Chicago Cubs", hours: float = 0) -> Ours:
    return Ours(home, away, NOON + timedelta(hours=hours))


def theirs(home: str = "St Louis Cardinals", away: str = "Chicago Cubs", hours: float = 0) -> Theirs:
    return Theirs(home, away, NOON + timedelta(hours=hours))


def test_by_name_in_either_order() -> None:
    matches, unmatched = match_games(SPORT, [theirs(), theirs("Chicago Cubs", "St Louis Cardinals", 30)], [
        ours(), ours(hours=30.2)
    ])  # fmt: skip
    assert matches == [(0, 0, False), (1, 1, True)]
    assert not unmatched


@pytest.mark.parametrize(
    ("sport", "espn", "feed"),
    [
        ("icehockey_nhl", "Montreal Canadiens", "Montréal Canadiens"),
        ("soccer_fifa_world_cup", "Bosnia-Herzegovina", "Bosnia & Herzegovina"),
        ("soccer_fifa_world_cup", "Congo DR", "DR Congo"),
        ("soccer_fifa_world_cup", "United States", "USA"),
        ("soccer_epl", "AFC Bournemouth", "Bournemouth"),
        ("basketball_nba", "LA Clippers", "Los Angeles Clippers"),
    ],
)
def test_names_as_both_sources_write_them(sport: str, espn: str, feed: str) -> None:
    assert match_games(sport, [theirs(espn)], [ours(feed)])[0] == [(0, 0, False)]


def test_a_doubleheader_is_told_by_the_starts() -> None:
    games, events = [theirs(hours=5.1), theirs(hours=0.2)], [ours(), ours(hours=5)]
    assert match_games(SPORT, games, events)[0] == [(0, 1, False), (1, 0, False)]
    # one of the two results only: the other event gets nothing
    assert match_games(SPORT, games[:1], events)[0] == [(0, 1, False)]


def test_two_events_that_are_equally_near_are_nobodys() -> None:
    matches, unmatched = match_games(SPORT, [theirs(hours=1)], [ours(), ours(hours=2)])
    assert matches == []
    assert unmatched == {"ambiguous_event": 1}
    matches, unmatched = match_games(SPORT, [theirs(), theirs()], [ours()])
    assert matches == []
    assert unmatched == {"ambiguous_event": 2}


def test_strangers_and_other_days_are_counted() -> None:
    games = [theirs("Boston Red Sox"), theirs(hours=24), theirs(hours=-13)]
    assert match_games(SPORT, games, [ours()]) == ([], {"unknown_event": 3})
    assert match_games(SPORT, [], [ours()]) == ([], {})


@given(st.lists(st.integers(-40, 40), max_size=6), st.lists(st.integers(-40, 40), max_size=6))
def test_nobody_is_matched_twice_or_far_away(games: list[int], events: list[int]) -> None:
    found, unmatched = match_games(SPORT, [theirs(hours=h) for h in games], [ours(hours=h) for h in events])
    assert len({m.game for m in found}) == len({m.event for m in found}) == len(found)
    assert all(abs(games[m.game] - events[m.event]) * timedelta(hours=1) <= FARTHEST for m in found)
    assert len(found) + sum(unmatched.values()) == len(games)
