"""Settlement of a stake on a score: the shares won, pushed and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import Market, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.integer]

QUARTER_POINT = 0.25
OUTCOME_SIGNS = {Outcome.HOME: 1.0, Outcome.AWAY: -1.0, Outcome.OVER: 1.0, Outcome.UNDER: -1.0}
"""+1 where a higher margin (home - away) or total is better for the bet."""
_SIGN_BY_OUTCOME = np.full(max(Outcome) + 1, np.nan)
_SIGN_BY_OUTCOME[list(OUTCOME_SIGNS)] = list(OUTCOME_SIGNS.values())
TEAM_OUTCOMES, TOTAL_OUTCOMES = (Outcome.HOME, Outcome.AWAY), (Outcome.OVER, Outcome.UNDER)


class StakeShares(NamedTuple):
    """Shares of the stake (n,); they sum to one, or are NaN where the bet is not settled."""

    won: Array
    pushed: Array
    lost: Array

    def profit(self, price: Array) -> Array:
        """Profit of a stake of one at the decimal `price`, pushes returned: won x (price - 1) - lost."""
        return self.won * (price - 1) - self.lost


def settle_scores(market: Numbers, outcome: Numbers, point: Array, home: Array, away: Array) -> StakeShares:
    """Settle bets (n,) on their scores (n,), with ties of a two-way market pushed.

    `market` and `outcome` are those of `ml.quotes`. A quarter (Asian) point is two half stakes, on the half point and
    the adjacent whole one. NaN where a score or a required point is NaN, or the market is not h2h (two- or three-way),
    spreads or totals.
    """
    ahead = _winning_margin(market, outcome, point, home, away)
    lines = np.isin(market, (Market.SPREADS, Market.TOTALS))
    shift = np.where(lines & (np.mod(point * 4, 2) == 1), QUARTER_POINT, 0.0)
    halves = np.stack([ahead - shift, ahead + shift])
    unknown = np.isnan(ahead)
    shares = ((halves > 0).mean(axis=0), (halves == 0).mean(axis=0), (halves < 0).mean(axis=0))
    return StakeShares(*(np.where(unknown, np.nan, share) for share in shares))


def _winning_margin(market: Numbers, outcome: Numbers, point: Array, home: Array, away: Array) -> Array:
    """The bet's winning margin: above 0 it wins, at 0 it pushes."""
    sign = _SIGN_BY_OUTCOME[np.where((outcome >= 0) & (outcome < len(_SIGN_BY_OUTCOME)), outcome, 0)]
    margin, team = home - away, np.isin(outcome, TEAM_OUTCOMES)
    three_way = np.where(outcome == Outcome.DRAW, margin == 0, sign * margin > 0) - 0.5
    return np.select(
        [
            (market == Market.H2H) & team,
            (market == Market.H2H_3_WAY) & (team | (outcome == Outcome.DRAW)) & ~np.isnan(margin),
            (market == Market.SPREADS) & team,
            (market == Market.TOTALS) & np.isin(outcome, TOTAL_OUTCOMES),
        ],
        [sign * margin, three_way, sign * margin + point, sign * (home + away - point)],
        np.nan,
    )
