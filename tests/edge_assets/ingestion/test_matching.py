"""Games of another source find our events by names and start, or stay nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.ingestion.matching import FARTHEST, match_games, plain_name

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
    ("one", "other"),
    [
        ("Montréal Canadiens", "Montreal Canadiens"),
        ("St Louis Blues", "St. Louis Blues"),
        ("Bosnia & Herzegovina", "Bosnia-Herzegovina"),
        ("Brighton and Hove Albion", "Brighton & Hove Albion"),
        ("AFC Bournemouth", "Bournemouth"),
    ],
)
def test_ways_to_write_a_name(one: str, other: str) -> None:
    assert plain_name("", one) == plain_name("", other)


def test_names_that_are_spelled_alike_stay_apart() -> None:
    names = ["Chicago Cubs", "Chicago White Sox", "New York Mets", "New York Yankees", "Inter Miami CF", "Inter Milan"]
    assert len({plain_name(SPORT, name) for name in names}) == len(names)


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


def test_another_canonical_name_can_be_given() -> None:
    def canonical(sport: str, name: str) -> str:
        return {"Oakland Athletics": "Athletics"}.get(name, name)

    found = match_games(SPORT, [theirs("Oakland Athletics")], [ours("Athletics")], canonical)
    assert found[0] == [(0, 0, False)]


@given(st.lists(st.integers(-40, 40), max_size=6), st.lists(st.integers(-40, 40), max_size=6))
def test_nobody_is_matched_twice_or_far_away(games: list[int], events: list[int]) -> None:
    found, unmatched = match_games(SPORT, [theirs(hours=h) for h in games], [ours(hours=h) for h in events])
    assert len({m.game for m in found}) == len({m.event for m in found}) == len(found)
    assert all(abs(games[m.game] - events[m.event]) * timedelta(hours=1) <= FARTHEST for m in found)
    assert len(found) + sum(unmatched.values()) == len(games)
