"""Team ratings after each game, in the order in which results became known.

Elo (1978) as the World Football Elo Ratings apply it to teams (https://www.eloratings.net/about): expected score
1 / (1 + 10^(-d/400)) with d the difference of ratings plus the home advantage; after a game a team gains
K x (score - expected). Score: 1 for a win, 1/2 for a draw, 0 for a loss.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SCALE = 400.0
EVEN = 0.5


@dataclass(frozen=True, slots=True)
class RatingRules:
    """Constants of the ratings; conventions, not fits."""

    start: float = 1500.0
    k: float = 20.0
    home_advantage: float = 65.0
    form_games: int = 5
    home_half_life: float = 400.0
    """Games of the league after which a home side's result counts half in `home_bias`."""


class GameRatings(NamedTuple):
    """State after each game, columns home and away (g, 2); `home_bias` (g,).

    `elo` in rating points; `games` played so far; `form` the mean score of the last games, 0 to 1; `home_bias` the
    recent home sides' mean score less one half: how much more than an even share they took.
    """

    elo: Array
    games: NDArray[np.int32]
    form: Array
    home_bias: Array


def rate(
    teams: Sequence[tuple[Hashable, Hashable]], goals: NDArray[np.int16], rules: RatingRules | None = None
) -> GameRatings:
    """Rate the (home, away) `teams` of one league after each of their games, `goals` (g, 2), oldest first.

    A row depends on nothing but the rows before it: later games change no bit of it.
    """
    rules = rules or RatingRules()
    rating: defaultdict[Hashable, float] = defaultdict(lambda: rules.start)
    scores: defaultdict[Hashable, deque[float]] = defaultdict(lambda: deque(maxlen=rules.form_games))
    played: defaultdict[Hashable, int] = defaultdict(int)
    keep, bias = EVEN ** (1 / rules.home_half_life), 0.0
    sides = (len(teams), 2)
    result = GameRatings(np.empty(sides), np.empty(sides, np.int32), np.empty(sides), np.empty(len(teams)))
    for game, ((home, away), (for_home, for_away)) in enumerate(zip(teams, goals.tolist(), strict=True)):
        score = EVEN + EVEN * ((for_home > for_away) - (for_home < for_away))
        gain = rules.k * (score - _expected(rating[home] - rating[away] + rules.home_advantage))
        bias = keep * bias + (1 - keep) * (score - EVEN)
        for side, (team, won, change) in enumerate(((home, score, gain), (away, 1 - score, -gain))):
            rating[team] += change
            scores[team].append(won)
            played[team] += 1
            result.elo[game, side], result.games[game, side] = rating[team], played[team]
            result.form[game, side] = sum(scores[team]) / len(scores[team])
        result.home_bias[game] = bias
    return result


def _expected(difference: float) -> float:
    expected: float = 1 / (1 + 10 ** (-difference / SCALE))
    return expected
