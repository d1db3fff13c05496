"""Ratings against a peer's, and against themselves: what comes later changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import RatingRules, rate
from tests.ml.market.peers import penaltyblog_part

TEAMS = st.sampled_from("ABCDE")
GAMES = st.lists(
    st.tuples(TEAMS, TEAMS, st.integers(0, 5), st.integers(0, 5)).filter(lambda g: g[0] != g[1]), min_size=1
)
Game = tuple[str, str, int, int]


@given(games=GAMES)
def test_elo_is_that_of_penaltyblog(games: list[Game]) -> None:
    peer = penaltyblog_part("ratings").Elo(k=20.0, home_field_advantage=65.0)
    rated = rate(*columns(games))
    for game, (home, away, scored, conceded) in enumerate(games):
        peer.update_ratings(home, away, 1 - int(np.sign(scored - conceded)))
        assert rated.elo[game] == pytest.approx([peer.ratings[home], peer.ratings[away]], abs=1e-9)


@given(games=GAMES, later=GAMES)
def test_later_games_change_no_bit(games: list[Game], later: list[Game]) -> None:
    before, after = rate(*columns(games)), rate(*columns(games + later))
    for name in before._fields:
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name)[: len(games)])


def test_form_games_and_home_bias_by_hand() -> None:
    games = [("A", "B", 1, 0), ("A", "B", 0, 0), ("B", "A", 0, 2)]
    rated = rate(*columns(games), RatingRules(form_games=2, home_half_life=1.0))
    np.testing.assert_allclose(rated.form, [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75]])
    np.testing.assert_array_equal(rated.games, [[1, 1], [2, 2], [3, 3]])
    np.testing.assert_allclose(rated.home_bias, [0.25, 0.125, -0.1875])


def columns(games: list[Game]) -> tuple[list[tuple[str, str]], np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    return [game[:2] for game in games], np.array([game[2:] for game in games], np.int16).reshape(-1, 2)
