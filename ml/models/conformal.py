"""Intervals about a model's probabilities that hold the fair close with a stated frequency: split conformal prediction.

Vovk, Gammerman & Shafer 2005; the scores are signed differences in log-odds, close minus model, by outcome, on lines
that the model had not seen. For stakes and display: bounds rank bets no better than the probabilities themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit

from ml.arrays import complete_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = (0.8, 0.9)
MIN_SCORES = 200
"""Fewer say too little about the tails: there is no interval then."""


class Conformal(NamedTuple):
    """By level (K,) and outcome (K, n): how far below and above a model's log-odds the close's are."""

    levels: Array
    low: Array
    high: Array

    def interval(self, probability: Array, level: float) -> tuple[Array, Array]:
        """The lower and upper bound (N, n) of the close about `probability` (N, n); `KeyError` for another level."""
        [row] = np.flatnonzero(self.levels == level)[:1] if level in self.levels else [None]
        if row is None:
            raise KeyError(level)
        log_odds = logit(probability)
        return expit(log_odds + self.low[row]), expit(log_odds + self.high[row])


def fit_conformal(probability: Array, close: Array, levels: tuple[float, ...] = LEVELS) -> Conformal | None:
    """The intervals from unseen predictions and closes (N, n); None where too few have a close.

    The quantiles are those of N + 1 scores, so that the next one is inside with at least the level's frequency.
    """
    scores = logit(close) - logit(probability)
    scores = scores[complete_rows(scores)]
    if len(scores) < MIN_SCORES:
        return None
    ranked = np.sort(scores, axis=0)
    tails = (1 - np.array(levels)) / 2
    below = np.maximum(np.floor(tails * (len(scores) + 1)).astype(np.intp) - 1, 0)
    return Conformal(np.array(levels), ranked[below], ranked[len(scores) - 1 - below])
