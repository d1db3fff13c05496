from __future__ import annotations

import numpy as np

from ml.features.market_ratings import RatedGames, replay_market_ratings
from ml.features.performance import observe_games
from ml.features.team_states import HALF_LIVES_GAMES, PRIOR_GAMES, TeamGames, replay_states
from tests.support.drawn_seasons import TEAMS, draw_games


def mean_of_last_games(games: TeamGames, team: int, at: int, half_life: float, column: int) -> float:
    """The definition, game by game."""
    rows = [i for i in np.argsort(games.known_at, kind="stable") if games.known_at[i] <= at]
    values = [
        games.differences[i, column] * (1 if games.home[i] == team else -1)
        for i in rows
        if team in (games.home[i], games.away[i]) and not np.isnan(games.differences[i, column])
    ][::-1]
    weights = [0.5 ** (n / half_life) for n in range(len(values))]
    return float(sum(w * v for w, v in zip(weights, values, strict=True)) / (sum(weights) + PRIOR_GAMES))


def test_states_are_the_means_of_the_definition() -> None:
    games = observe_games(draw_games(1, 800))
    at = np.array([games.known_at[5], games.known_at[780], 0])
    home, away = np.array([3, 3, 3], np.int32), np.array([8, 8, 8], np.int32)
    states = replay_states(games, home, away, at, TEAMS)
    for e, moment in enumerate(at.tolist()):
        for h, half_life in enumerate(HALF_LIVES_GAMES):
            for column in range(games.differences.shape[1]):
                ours, theirs = (mean_of_last_games(games, team, moment, half_life, column) for team in (3, 8))
                assert np.isclose(states.difference[e, h, column], ours - theirs, rtol=1e-12, atol=1e-14)
    assert states.games[2].tolist() == [0, 0]


def test_performance_is_what_the_close_did_not_lead_to_expect() -> None:
    drawn = draw_games(2, 6_000)
    goals = observe_games(drawn).differences[:, 2]
    late = np.arange(3_000, 6_000)
    known = late[~np.isnan(goals[late])]
    lead = np.log(drawn.result_close[known, 0] / drawn.result_close[known, 1])
    assert abs(goals[known].mean()) < 0.1
    assert abs(np.corrcoef(goals[known], lead)[0, 1]) < 0.05
    raw = drawn.score[known, 0] - drawn.score[known, 1]
    assert np.corrcoef(raw, lead)[0, 1] > 0.3


def test_ratings_find_the_strengths_behind_closing_prices() -> None:
    rng = np.random.default_rng(0)
    strength = rng.normal(0, 0.5, TEAMS)
    home, away = (rng.integers(0, TEAMS, 4_000).astype(np.int32) for _ in range(2))
    played = home != away
    home, away = home[played], away[played]
    at = np.arange(len(home), dtype=np.int64)
    games = RatedGames(home, away, at, 0.35 + strength[home] - strength[away])
    rated = replay_market_ratings(games, home, away, at - 1, TEAMS)
    np.testing.assert_allclose(rated[-500:, 0], games.log_odds[-500:], atol=0.02)
    totals = RatedGames(home, away, at, 0.1 + strength[home] + strength[away])
    rated = replay_market_ratings(totals, home, away, at - 1, TEAMS, is_sum=True)
    np.testing.assert_allclose(rated[-500:, 0], totals.log_odds[-500:], atol=0.05)
