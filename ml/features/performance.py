"""What was observed in games: how the line moved, and how both teams performed against their own closing prices.

A performance is what a team did minus what its closing prices led to expect. What they lead to expect of goals, shots
or corners is a regression on the closing log-odds over all earlier games, one for each game: only games known by its
start take part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.features.team_states import TeamGames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

UNKNOWN_SINCE = np.iinfo(np.int64).max
"""`known_at` of a game whose result is not known."""
MIN_REGRESSION_GAMES = 500
"""Fewer games do not show what closing prices lead to expect."""
RIDGE_GAMES = 20.0
"""Strength of the regression's prior that nothing is expected, in games."""
GOALS, RESULT = "goals", "result"
STATISTICS = ("shots", "shots_on_target", "corners")
"""Statistics that states are made of. Cards changed nothing on the training seasons."""


class PlayedGames(NamedTuple):
    """Games (N,) by their numbers of teams, in the order of their starts; times in microseconds.

    Fair probabilities (N, n) of the match result and (N, 2) of the main total when decisions are made (`opening`) and
    at the close, each by the first book of a fixed order that has them; NaN where none has. `moved` is whether opening
    and close are one book's. `score` (N, 2) and each of `statistics` (N, 2), home and away, NaN while unknown;
    `known_at` is when they were.
    """

    home: NDArray[np.int32]
    away: NDArray[np.int32]
    start: NDArray[np.int64]
    known_at: NDArray[np.int64]
    result_close: Array
    result_move: Array
    total_close: Array
    total_move: Array
    score: Array
    statistics: Mapping[str, Array]


def observe_games(games: PlayedGames) -> TeamGames:
    """What both teams' states are made of (`DIFFERENCES`, `SUMS`), of games whose result is known."""
    supremacy = result_log_odds(games.result_close)
    total = total_log_odds(games.total_close)
    won = np.sign(games.score[:, 0] - games.score[:, 1]) - (games.result_close[:, 0] - games.result_close[:, 1])
    counts = {GOALS: games.score} | {name: games.statistics[name] for name in STATISTICS if name in games.statistics}
    unknown = np.full_like(games.score, np.nan)
    differences, sums = [games.result_move, won], [games.total_move]
    for name in (GOALS, *STATISTICS):
        home, away = counts.get(name, unknown).T
        differences.append(_surprise(home - away, supremacy, games))
        sums.append(_surprise(home + away, total, games))
    return TeamGames(games.home, games.away, games.known_at, np.stack(differences, 1), np.stack(sums, 1))


DIFFERENCES = ("line_move", RESULT, GOALS, *STATISTICS)
SUMS = ("line_move", GOALS, *STATISTICS)


def result_log_odds(fair: Array) -> Array:
    """log(p_home / p_away) (N,) of fair probabilities (N, n) of the match result; the draw, if any, comes last."""
    log_odds: Array = np.log(fair[:, 0] / fair[:, 1])
    return log_odds


def total_log_odds(fair: Array) -> Array:
    """The log-odds (N,) of over of fair probabilities (N, 2)."""
    return result_log_odds(fair)


def _surprise(count: Array, log_odds: Array, games: PlayedGames) -> Array:
    """`count` (N,) minus what `log_odds` (N,) led to expect; NaN while too few games are known.

    Ridge regression with intercept on all games that were known at the game's start.
    """
    x = np.stack([np.ones_like(log_odds), log_odds], axis=1)
    usable = np.flatnonzero(~np.isnan(count + log_odds) & (games.known_at < UNKNOWN_SINCE))
    order = usable[np.argsort(games.known_at[usable], kind="stable")]
    before = np.searchsorted(games.known_at[order], games.start, side="right")
    squares = _sums_before(x[order, :, None] * x[order, None, :], before) + np.eye(2) * RIDGE_GAMES
    products = _sums_before(x[order] * count[order, None], before)
    expected = (np.linalg.solve(squares, products[..., None])[..., 0] * x).sum(axis=1)
    return np.where(before < MIN_REGRESSION_GAMES, np.nan, count - expected)


def _sums_before(values: Array, before: NDArray[np.intp]) -> Array:
    """The sums (N, ...) of the first `before` (N,) of `values`."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    return sums[before]
