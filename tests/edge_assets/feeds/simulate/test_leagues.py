"""A league without end: everybody meets everybody, at home as often as away."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from edge_assets.feeds.simulate.fixtures import LISTED_FOR, PLAYED_FOR, SLOT
from edge_assets.feeds.simulate.leagues import LEAGUES, TOWNS, pairing

SEASON = len(TOWNS) * (len(TOWNS) - 1)
FIRST = 2_500_000
"""About the slot of today."""


def test_a_season_brings_every_pair_home_and_away() -> None:
    for first in (0, FIRST, FIRST + 77):
        games = [pairing(slot) for slot in range(first, first + SEASON)]
        assert sorted(games) == sorted(permutations(range(len(TOWNS)), 2))
    halves = Counter(frozenset(pairing(slot)) for slot in range(SEASON // 2))
    assert set(halves.values()) == {1}


def test_half_a_season_is_fair() -> None:
    at_home = Counter(pairing(slot)[0] for slot in range(SEASON // 2))
    assert set(at_home.values()) == {9, 10}


def test_no_team_is_listed_twice_at_a_time() -> None:
    at_once = (LISTED_FOR + PLAYED_FOR) // SLOT + 1
    for slot in range(FIRST, FIRST + SEASON):
        teams = [team for game in range(slot, slot + at_once) for team in pairing(game)]
        assert len(set(teams)) == len(teams)


def test_teams_have_names_of_their_own() -> None:
    names = {league.team(number) for league in LEAGUES for number in range(len(TOWNS))}
    assert len(names) == len(LEAGUES) * len(TOWNS)
