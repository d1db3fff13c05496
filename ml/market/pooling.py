"""Pooling of books: the weighted mean of their fair log-odds, with its standard error.

A logarithmic opinion pool (Genest & Zidek 1986), outcome by outcome. Shapes: L lines, B books, n outcomes; arrays of
fair log-odds have outcomes first and books last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ml.market.methods import booksum
from ml.market.weights import merge_clones, sum_over_books

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.market.devig import DevigResult
    from ml.market.weights import CloneGroups

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

HALF = 0.5
WEIGHT_TOLERANCE = 1e-9
TWO_WAY = 2

OUTLIER_LOG_ODDS = 0.8
"""A book this far from the others is wrong, or knows what they do not; either way it is left out of the consensus."""
MAX_WEIGHT_RATIO = 0.9
"""Largest weight of one book in the median, relative to all others together, so that no single book decides it."""
BOOK_NOISE_LOG_ODDS = 0.04
"""A book's usual distance from the others, in log-odds: .034 to .040 (median) and .043 to .060 (root mean square) among
five soft books in 41,156 matches of football-data 2015-24."""
PRIOR_BOOKS = 4.0
"""Weight of that prior, in books."""
COMMON_VARIANCE_RATIO = 0.4
"""Variance of the error common to all books over that of each book's own error: no number of books reveals it, but
books that differ much err much. It implies a correlation of errors of .29. The mean of the five above differs from
Pinnacle by .039 to .054 (root mean square), they from each other by .034 to .060, and results side with Pinnacle: they
confirm 1.09 +- .15 of the difference before the match (56,767 matches) and .98 +- .22 at the close (25,489). Over all
outcomes of these matches, the 90% interval about the five's mean contains Pinnacle's value in 88%. How often the
interval of alerts holds is in docs/concepts.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The pooled probabilities of L lines; floats are NaN for a line without a pooled book.

    `probability` (n, L) sums to one. `log_odds_error` (n, L) is its standard error in log-odds, `dispersion` (L,) the
    weighted standard deviation of the books' log-odds, averaged over outcomes. `books` (L,) counts the independent
    sources. `outlying_books` (L, B) are too far from the others to count; `weight` (L, B) is each book's effective
    weight, clones merged.
    """

    probability: Array
    log_odds_error: Array
    dispersion: Array
    books: NDArray[np.int64]
    outlying_books: Mask
    weight: Array


def pool(fair_log_odds: Array, weights: Array, *, groups: CloneGroups = (), variance: Array | float = 0.0) -> Pool:
    """Pool `fair_log_odds` (n, L, B), NaN where a book has none, with `weights` (L, B) >= 0.

    The books of each of the `groups` (`ml.market.group_clones`) count as one. `variance` (L, B) is the uncertainty of
    each book's own estimate: from its age, or from being translated from another point.

    Books further than `OUTLIER_LOG_ODDS` from the weighted median of the others do not count. The squared standard
    error is s^2 / b + sum w^2 v / (sum w)^2 + r k^3 s^2: s^2 the books' variance, shrunk to k `BOOK_NOISE_LOG_ODDS`^2
    with the weight of `PRIOR_BOOKS` books; b = (sum w)^2 / sum w^2 the effective number of the m sources; k = b / m, 1
    for equal weights; v the `variance`; r the `COMMON_VARIANCE_RATIO` of errors that all books share. A pool dominated
    by a few accurate books has less of the noise, and far less of the shared error, of the others. (Pinnacle at weight
    5 with five soft books: k = .56. The powers of k were chosen like `ml.market.dissent.DISSENT_WEIGHT_FACTOR`.)

    A line's result depends neither on other lines nor on books without a price, to the last bit.
    """
    own = ~np.isnan(fair_log_odds[0])
    independent = independent_outcomes(fair_log_odds)
    weights = weights * own  # a product is faster than `where`
    outlying_books = _outlying_books(independent, weights)
    weight, books, squares = merge_clones(weights * ~outlying_books if outlying_books.any() else weights, groups)
    total = sum_over_books(weight)
    total = np.where(total > 0, total, np.nan)
    x = independent if own.all() else np.where(own, independent, 0.0)
    mean = sum_over_books(weight * x) / total
    probability = _normalised_probability(mean)
    distance = x - mean[..., None]
    spread = sum_over_books(weight * distance * distance) / total
    effective = total * total / squares
    error = pooled_log_odds_error(
        spread, effective, books, sum_over_books(weight * weight * variance) / (total * total)
    )
    error = np.concatenate([error] * (len(probability) // len(error)))
    return Pool(probability, error, booksum(np.sqrt(spread)) / len(independent), books, outlying_books, weight)


def pooled_log_odds_error(spread: Array, effective: Array, sources: NDArray[np.int64], own: Array) -> Array:
    """The standard error of a pooled mean, in log-odds; arguments broadcast. See `pool` for the formula.

    `spread` is the books' weighted variance about the mean, `effective` the effective number of sources out of
    `sources`; `own` is the variance that the mean inherits from the books' own estimates.
    """
    evenness = effective / sources
    prior = evenness * BOOK_NOISE_LOG_ODDS**2
    noise = (PRIOR_BOOKS * prior + effective * spread) / (PRIOR_BOOKS + effective - 1)
    error: Array = np.sqrt(noise / effective + own + COMMON_VARIANCE_RATIO * noise * evenness**3)
    return error


def to_log_odds(fair: DevigResult) -> Array:
    """Log-odds (n, ...) of fair probabilities (..., n)."""
    shape = range(fair.probabilities.ndim - 1)
    probability = fair.probabilities.transpose(-1, *shape)
    odds: Array = np.subtract(np.log(probability), np.log1p(-probability), order="C")
    return odds


def mean_probability(fair_log_odds: Array, weight: Array, total: Array) -> Array:
    """The weighted mean of `fair_log_odds` (n, L, B) as probabilities (n, L) that sum to one.

    `total` (L,) is the sum of `weight` (L, B), NaN for 0. A line is NaN where a book with weight has no log-odds.
    """
    x = np.where(weight > 0, independent_outcomes(fair_log_odds), 0.0)
    return _normalised_probability(sum_over_books(weight * x) / total)


def independent_outcomes(fair_log_odds: Array) -> Array:
    """The outcomes (k, L, B) to pool of log-odds (n, L, B): of two, the second is redundant."""
    return fair_log_odds[:1] if len(fair_log_odds) == TWO_WAY else fair_log_odds


def books_axis_first(values: Array) -> Array:
    """A copy (B, k, L) of `values` (k, L, B): minima and maxima over the first axis are faster."""
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def _normalised_probability(mean: Array) -> Array:
    """Probabilities (n, L) that sum to one, from log-odds (k, L) of the `independent_outcomes`."""
    probability = expit(np.concatenate([mean, -mean]) if len(mean) == 1 else mean)
    return probability / booksum(probability)


def _outlying_books(x: Array, weights: Array) -> Mask:
    """Which books (L, B) are more than `OUTLIER_LOG_ODDS` from the weighted median on some outcome of `x` (k, L, B)."""
    outlying = np.zeros(weights.shape, np.bool_)
    if not outlying.size:
        return outlying
    # no distance from a median exceeds the range, and most lines are narrow
    by_book = books_axis_first(x)
    [wide] = (np.fmax.reduce(by_book) - np.fmin.reduce(by_book) > OUTLIER_LOG_ODDS).any(axis=0).nonzero()
    if wide.size:
        some = x[:, wide]
        outlying[wide] = (np.abs(some - _weighted_median(some, weights[wide])) > OUTLIER_LOG_ODDS).any(axis=0)
    return outlying


def _weighted_median(x: Array, weight: Array) -> Array:
    """Weighted median of the books (n, L, 1); the midpoint of two that split the weight evenly."""
    rest = sum_over_books(weight)[:, None] - weight
    weight = np.where(rest > 0, np.minimum(weight, MAX_WEIGHT_RATIO * rest), weight)
    order = np.where(weight > 0, x, np.inf).argsort(axis=-1)
    cumulated = np.take_along_axis(np.broadcast_to(weight, x.shape), order, axis=-1).cumsum(axis=-1)
    half = HALF * cumulated[..., -1:]
    lower = (cumulated >= half * (1 - WEIGHT_TOLERANCE)).argmax(axis=-1)[..., None]
    upper = (cumulated > half * (1 + WEIGHT_TOLERANCE)).argmax(axis=-1)[..., None]
    middle = np.take_along_axis(order, np.concatenate([lower, upper], axis=-1), axis=-1)
    median = np.take_along_axis(x, middle, axis=-1).mean(axis=-1, keepdims=True)
    return np.where(half > 0, median, np.nan)
