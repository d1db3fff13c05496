"""A league without end: everybody meets everybody, at home as often as away."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from edge_assets.sandbox.simulator.fixtures import LISTED_SECONDS, PLAY_SECONDS, SLOT_SECONDS
from edge_assets.sandbox.simulator.leagues import LEAGUES, TOWNS, pair_teams

SEASON = len(TOWNS) * (len(TOWNS) - 1)
FIRST = 2_500_000
"""About the slot of today."""


def test_a_season_brings_every_pair_home_and_away() -> None:
    for first in (0, FIRST, FIRST + 77):
        games = [pair_teams(slot) for slot in range(first, first + SEASON)]
        assert sorted(games) == sorted(permutations(range(len(TOWNS)), 2))
    halves = Counter(frozenset(pair_teams(slot)) for slot in range(SEASON // 2))
    assert set(halves.values()) == {1}


def test_half_a_season_is_fair() -> None:
    at_home = Counter(pair_teams(slot)[0] for slot in range(SEASON // 2))
    assert set(at_home.values()) == {9, 10}


def test_no_team_is_listed_twice_at_a_time() -> None:
    at_once = (LISTED_SECONDS + PLAY_SECONDS) // SLOT_SECONDS + 1
    for slot in range(FIRST, FIRST + SEASON):
        teams = [team for game in range(slot, slot + at_once) for team in pair_teams(game)]
        assert len(set(teams)) == len(teams)


def test_teams_have_names_of_their_own() -> None:
    names = {league.team_name(number) for league in LEAGUES for number in range(len(TOWNS))}
    assert len(names) == len(LEAGUES) * len(TOWNS)
