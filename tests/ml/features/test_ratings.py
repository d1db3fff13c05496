"""Ratings against a peer's, and against themselves: what comes later changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import KnownScore, RatingRules, TeamRating, compute_ratings
from tests.support.peer_packages import penaltyblog_part

TEAMS = st.sampled_from("ABCDE")
GAMES = st.lists(
    st.tuples(TEAMS, TEAMS, st.integers(0, 5), st.integers(0, 5)).filter(lambda g: g[0] != g[1]), min_size=1
)
Game = tuple[str, str, int, int]


def known_scores(games: list[Game]) -> list[KnownScore]:
    return [
        KnownScore(number, home, away, (for_home, for_away))
        for number, (home, away, for_home, for_away) in enumerate(games)
    ]


def standing(ratings: list[TeamRating]) -> dict[object, TeamRating]:
    """The last state of each team, whenever it was reached; one without a game is as if it had never played."""
    last = {rating.team: rating._replace(step=0, home_bias=0.0) for rating in ratings}
    return {team: rating for team, rating in last.items() if rating.games}


@given(games=GAMES)
def test_elo_is_that_of_penaltyblog(games: list[Game]) -> None:
    peer = penaltyblog_part("ratings").Elo(k=20.0, home_field_advantage=65.0)
    ratings = list(compute_ratings(known_scores(games)))
    for number, (home, away, scored, conceded) in enumerate(games):
        peer.update_ratings(home, away, 1 - int(np.sign(scored - conceded)))
        sides = ratings[2 * number : 2 * number + 2]
        assert [side.team for side in sides] == [home, away]
        assert [side.elo for side in sides] == pytest.approx([peer.ratings[home], peer.ratings[away]], abs=1e-9)


@given(games=GAMES, later=GAMES, taken_back=st.integers(0, 30))
def test_later_results_change_no_bit(games: list[Game], later: list[Game], taken_back: int) -> None:
    before, after = known_scores(games), known_scores(games + later)
    after.append(after[taken_back % len(after)]._replace(goals=None))
    assert list(compute_ratings(after))[: 2 * len(games)] == list(compute_ratings(before))


@given(games=GAMES, number=st.integers(0, 30), decided=st.none() | st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_a_game_that_is_taken_back_or_decided_counts_as_if_that_had_been_known(
    games: list[Game], number: int, decided: tuple[int, int] | None
) -> None:
    scores = known_scores(games)
    changed = scores[number % len(scores)]._replace(goals=decided)
    ratings = list(compute_ratings([*scores, changed]))
    at_once = [changed if score.game == changed.game else score for score in scores]
    assert standing(ratings) == standing(list(compute_ratings(at_once)))
    assert ratings[-1].home_bias == list(compute_ratings(at_once))[-1].home_bias


def test_a_team_whose_only_game_is_contradicted_starts_over() -> None:
    [game] = known_scores([("A", "B", 3, 0)])
    *_, home, away = compute_ratings([game, game._replace(goals=None)])
    assert (home.elo, home.games, home.form, home.is_home) == (1500, 0, None, True)
    assert (away.elo, away.games, away.form, away.is_home) == (1500, 0, None, False)


def test_form_games_and_home_bias_by_hand() -> None:
    games = [("A", "B", 1, 0), ("A", "B", 0, 0), ("B", "A", 0, 2)]
    ratings = list(compute_ratings(known_scores(games), RatingRules(form_games=2, home_half_life_games=1.0)))
    assert [rating.form for rating in ratings] == [1.0, 0.0, 0.75, 0.25, 0.25, 0.75]
    assert [rating.games for rating in ratings] == [1, 1, 2, 2, 3, 3]
    assert [rating.home_bias for rating in ratings[::2]] == pytest.approx([0.25, 0.125, -0.1875])
