"""How much better one set of prices explains the results than another, or than itself in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.warehouse.bet_settlement import settle_columns
from ml.quotes import MARKET_OUTCOMES, Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.market_matrix import Array
    from edge_assets.store.analytics.quarantine import Columns

COMMON_RULES_BOOK_ID = -1
"""A book id without rules of its own: only what all rules have in common settles."""


class Winners:
    """The winning outcomes of events with a score, independent of prices."""

    def __init__(self, scores: Columns, sports: Mapping[int, str]) -> None:
        self._scores, self._sports = scores, sports

    def winning_outcomes(self, market: Market, event: NDArray[np.int32], line: Array) -> NDArray[np.intp]:
        """The indices (k,) in `MARKET_OUTCOMES` of the winning outcomes; -1 if none won its whole stake."""
        outcomes = MARKET_OUTCOMES[market]
        game = np.searchsorted(self._scores["event"], event)
        has_score = np.isin(event, self._scores["event"])
        won = np.full(len(event), -1, np.intp)
        for index, outcome in enumerate(outcomes):
            away = market == Market.SPREADS and index == 1
            n = int(has_score.sum())
            bets: Columns = {
                "game": game[has_score],
                "book": np.full(n, COMMON_RULES_BOOK_ID, np.int16),
                "market": np.full(n, market, np.int16),
                "outcome": np.full(n, outcome, np.int32),
                "point": line[has_score] * (-1.0 if away else 1.0),
            }
            share = settle_columns(bets, self._scores, self._sports, {}).shares.won if n else np.empty(0)
            won[np.flatnonzero(has_score)[share == 1]] = index
        return won


def log_likelihood_ratio(won: NDArray[np.intp], first: Array, second: Array) -> Array:
    """The log likelihood ratio of the first prices against the second, given the winners, row by row.

    Prices are centred logs (k, n), so their negative exponentials are probabilities up to the margin. If the second are
    right, the likelihood ratio over any number of events has a mean of one: it exceeds 1 / a with a probability of at
    most a (Markov), whatever the first are. 0 where nothing won.
    """
    outcome_index = np.maximum(won, 0)[:, None]
    log_probabilities = (
        np.take_along_axis(_log_probabilities(prices), outcome_index, axis=1)[:, 0] for prices in (first, second)
    )
    return np.where(won >= 0, np.subtract(*log_probabilities), 0.0)


def _log_probabilities(prices: Array) -> Array:
    log_probabilities: Array = -prices - np.log(np.exp(-prices).sum(axis=1, keepdims=True))
    return log_probabilities
