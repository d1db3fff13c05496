"""Consensus weights from the log loss of each book's closing prices.

A book whose log-odds err with variance v has a log loss about p (1 - p) v / 2 per game above the truth's; the best pool
weights each book by 1 / v (Bates & Granger 1969). So a book's gain over a common benchmark, minus the mean gain of all,
estimates how much smaller its v is than usual. A season proves little: the gain of one game has a standard deviation of
.01 to .05 and the effect is .0002, so it takes some ten thousand games to weigh as much as the prior.

Six books of football-data, weights of `books.toml` against those measured on earlier seasons: the closing consensus has
log loss 1.00362 against 1.00354 in 2021-23 (13,226 matches; measured on 10,347), 1.00592 against 1.00579 in 2022-24
(13,203; 16,937); the differences are .07 +- .05 and .13 +- .08 thousandths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.market.pooling import BOOK_NOISE_LOG_ODDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOG_LOSS_PER_VARIANCE = 0.11
"""p (1 - p) / 2 at the mean of p (1 - p) over games, .22."""
PRIOR_SD_RATIO = 1.0
"""Standard deviation of the prior, as a share of the variance it implies. A convention."""
MAX_WEIGHT_CHANGE_RATIO = 4.0
"""A measurement changes a weight by at most this factor."""


def posterior_weights(prior: Array, gain: Array, error: Array) -> Array:
    """Weights (B,) of books from their `gain`, starting from the `prior` weights (B,) > 0.

    `gain` (B,) is the mean log loss of a benchmark less the book's, in nats a game, on the book's games; `error` (B,) >
    0 is its standard error. NaN in either leaves the prior. The benchmark cancels out between books that price the same
    games, so a consensus made with these weights does not confirm them. Weights shrink towards the prior as a normal
    mean does, by the two variances.
    """
    known = np.isfinite(gain) & np.isfinite(error)
    if not known.any():
        return prior.copy()
    usual = BOOK_NOISE_LOG_ODDS**2 / prior
    noise = np.where(known, error, 1.0) / LOG_LOSS_PER_VARIANCE
    precision = np.where(known, 1.0, 0.0) / noise**2
    # the benchmark's own error is common to all: only differences between books are evidence
    better = np.where(known, gain, 0.0) / LOG_LOSS_PER_VARIANCE
    seen = np.average(usual + better, weights=precision) - better
    prior_precision = 1 / (PRIOR_SD_RATIO * usual) ** 2
    variance = (prior_precision * usual + precision * seen) / (prior_precision + precision)
    return prior * np.clip(
        usual / np.maximum(variance, usual / MAX_WEIGHT_CHANGE_RATIO),
        1 / MAX_WEIGHT_CHANGE_RATIO,
        MAX_WEIGHT_CHANGE_RATIO,
    )
