"""Ratings of teams from closing prices: what the market thought of a team when it last priced its games.

The closing log-odds of a game, x = log(p_home / p_away), are taken as r_home - r_away + a, with a the mean home
advantage. Each side's rating moves by half of a share of the error (`LEARNING_RATES`), after few games by a larger one,
1 / (n + 2) for n earlier games. The same for log-odds of over: x = r_home + r_away + a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEARNING_RATES = (0.1, 0.3)
HOME_ADVANTAGE_RATE = 0.01
HOME_ADVANTAGE = 0.4
"""Log-odds in soccer when nothing is known: .4 is the mean of log(p_home / p_away) of 62,149 matches of 2012-24."""


class RatedGames(NamedTuple):
    """Games (N,) with closing log-odds, known at the start: `known_at` (N,) microseconds."""

    home: NDArray[np.int32]
    away: NDArray[np.int32]
    known_at: NDArray[np.int64]
    log_odds: Array

    @property
    def sides(self) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
        """Home, away and log-odds."""
        return self.home, self.away, self.log_odds

    def in_order(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The rows with log-odds in the order in which they were known, and when."""
        usable = np.flatnonzero(~np.isnan(self.log_odds))
        order = usable[np.argsort(self.known_at[usable], kind="stable")]
        return order, self.known_at[order]


def replay_market_ratings(
    games: RatedGames,
    home: NDArray[np.int32],
    away: NDArray[np.int32],
    at: NDArray[np.int64],
    teams: int,
    *,
    is_sum: bool = False,
) -> Array:
    """What the ratings as known at `at` (E,) make of events (E,): log-odds (E, rates), NaN if a team has no game.

    With `is_sum` the ratings add up (a total) instead of opposing each other.
    """
    ratings = MarketRatings(teams, is_sum=is_sum)
    order, known_at = games.in_order()
    asked = np.argsort(at, kind="stable")
    until = np.searchsorted(known_at, at[asked], side="right")
    rated = np.full((len(at), len(LEARNING_RATES)), np.nan)
    done = 0
    for event, upto in zip(asked.tolist(), until.tolist(), strict=True):
        ratings.add(games, order[done:upto])
        done = upto
        rated[event] = ratings.log_odds(int(home[event]), int(away[event]))
    return rated


class MarketRatings:
    """The ratings of all teams by learning rate after the games so far."""

    # lists, because a game is a few numbers
    def __init__(self, teams: int, *, is_sum: bool) -> None:
        self._ratings = [[0.0] * len(LEARNING_RATES) for _ in range(teams)]
        self._games = [0] * teams
        self._advantage = 0.0 if is_sum else HOME_ADVANTAGE
        self._sign = 1.0 if is_sum else -1.0

    def add(self, games: RatedGames, rows: NDArray[np.intp]) -> None:
        """Add the games `rows`, in this order."""
        for home, away, log_odds in zip(*(column[rows].tolist() for column in games.sides), strict=True):
            self._add_game(home, away, log_odds)

    def log_odds(self, home: int, away: int) -> list[float]:
        """The log-odds between two teams by learning rate; NaN if one has no game."""
        if not (self._games[home] and self._games[away]):
            return [np.nan] * len(LEARNING_RATES)
        pairs = zip(self._ratings[home], self._ratings[away], strict=True)
        return [ours + self._sign * theirs + self._advantage for ours, theirs in pairs]

    def _add_game(self, home: int, away: int, log_odds: float) -> None:
        ours, theirs, sign = self._ratings[home], self._ratings[away], self._sign
        lead = log_odds - self._advantage
        least = 1 / (min(self._games[home], self._games[away]) + 2)
        for k, rate in enumerate(LEARNING_RATES):
            step = max(rate, least) * (lead - ours[k] - sign * theirs[k]) / 2
            ours[k] += step
            theirs[k] += sign * step
        self._advantage += HOME_ADVANTAGE_RATE * (lead - ours[0] - sign * theirs[0])
        self._games[home] += 1
        self._games[away] += 1
