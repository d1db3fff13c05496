"""Endless leagues: all pairs meet, equally often at home and away."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from edge_assets.sandbox.simulator.fixtures import LISTED_SECONDS, PLAY_SECONDS, SLOT_SECONDS
from edge_assets.sandbox.simulator.leagues import LEAGUES, TOWNS, pair_teams

SEASON = len(TOWNS) * (len(TOWNS) - 1)
FIRST = 2_500_000
"""About today's slot."""


def test_every_pair_meets_home_and_away_in_a_season() -> None:
    for first in (0, FIRST, FIRST + 77):
        games = [pair_teams(slot) for slot in range(first, first + SEASON)]
        assert sorted(games) == sorted(permutations(range(len(TOWNS)), 2))
    halves = Counter(frozenset(pair_teams(slot)) for slot in range(SEASON // 2))
    assert set(halves.values()) == {1}


def test_home_games_are_balanced_in_half_a_season() -> None:
    at_home = Counter(pair_teams(slot)[0] for slot in range(SEASON // 2))
    assert set(at_home.values()) == {9, 10}


def test_no_team_is_listed_twice_at_once() -> None:
    at_once = (LISTED_SECONDS + PLAY_SECONDS) // SLOT_SECONDS + 1
    for slot in range(FIRST, FIRST + SEASON):
        teams = [team for game in range(slot, slot + at_once) for team in pair_teams(game)]
        assert len(set(teams)) == len(teams)


def test_team_names_are_unique() -> None:
    names = {league.team_name(number) for league in LEAGUES for number in range(len(TOWNS))}
    assert len(names) == len(LEAGUES) * len(TOWNS)
