"""The pool of many books' opinions: the weighted mean of their fair log-odds, and how far it may be wrong.

A logarithmic opinion pool (Genest & Zidek 1986), outcome by outcome. Shapes: L lines, B books, n outcomes; an array of
opinions has outcomes first and books last.
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
"""A book this far from the others is wrong, or knows what they do not: either way no part of a consensus."""
MAX_WEIGHT_RATIO = 0.9
"""The most that one book weighs in the median, of what the others weigh together: no single book decides it."""
BOOK_NOISE_LOG_ODDS = 0.04
"""A book's usual distance from the others, in log-odds: .034 to .040 (median) and .043 to .060 (root mean square) among
five soft books in 41,156 matches of football-data 2015-24."""
PRIOR_BOOKS = 4.0
"""How many books' worth of evidence that is, beside the books of a line."""
COMMON_VARIANCE_RATIO = 0.4
"""The variance of what all books get wrong together, over that of what each gets wrong by itself: no number of books
reveals it, but books that differ much err much. A correlation of their errors of .29. The mean of the five above
differs from Pinnacle by .039 to .054 (root mean square), they from each other by .034 to .060, and the results side
with Pinnacle: of the difference they confirm 1.09 +- .15 before the match (56,767 matches) and .98 +- .22 at the close
(25,489). Chosen for alerts, among .25, .3, .4 and .5: with the choice of the de-vig method (`with_methods`) .4 holds
92% of them on drawn markets (seeds 1 and 2 of `tests/support/drawn_markets.py`), 88% on the simulator (seeds 41 to
43); of all outcomes in the matches above, the interval about the five's mean holds Pinnacle in 88%."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The pooled opinion of L lines; floats are NaN for a line without a pooled book.

    `probability` (n, L) sums to one. `error` (n, L) is its standard error in log-odds, `dispersion` (L,) the weighted
    standard deviation of the books' log-odds, averaged over outcomes. `books` (L,) counts the independent sources.
    `far` (L, B) are the books that stand too far from the others to count, `weight` (L, B) what each counted with,
    clones merged.
    """

    probability: Array
    log_odds_error: Array
    dispersion: Array
    books: NDArray[np.int64]
    outlying_books: Mask
    weight: Array


def pool(fair_log_odds: Array, weights: Array, *, groups: CloneGroups = (), variance: Array | float = 0.0) -> Pool:
    """Pool the fair log-odds `fair_log_odds` (n, L, B), NaN where a book has none, with `weights` (L, B) >= 0.

    The books of each of the `groups` (`ml.market.clones`) count as one. `variance` (L, B) is what each
    book's opinion is uncertain by itself: its age, or the way from another point.

    Books further than `OUTLIER_LOG_ODDS` from the weighted median of the others do not count. The squared standard
    error is s^2 / b + sum w^2 v / (sum w)^2 + r s^2 (b / m)^2: s^2 the books' variance, shrunk to `BOOK_NOISE_LOG_ODDS`
    squared as by `PRIOR_BOOKS` more books; b = (sum w)^2 / sum w^2 the effective number of the m sources; v the
    `variance`; r the `COMMON_VARIANCE_RATIO`, of errors that are the crowd's: a pool that leans on few has less of
    them, and more of their own. (Pinnacle at weight 5 beside five soft books: b / m = .56, about the half by which it
    halves their error.)

    A line's result depends neither on the other lines nor on books without an opinion, to the last bit.
    """
    own = ~np.isnan(fair_log_odds[0])
    independent = independent_outcomes(fair_log_odds)
    weights = weights * own  # a product, not `where`: twice as fast
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
    """The standard error of a mean of opinions, in log-odds; arguments broadcast. See `pool` for the formula.

    `spread` is the books' weighted variance about the mean, `effective` the number of sources that it is worth, of
    `sources` that there are; `own` is the mean's share of the opinions' own variance.
    """
    noise = (PRIOR_BOOKS * BOOK_NOISE_LOG_ODDS**2 + effective * spread) / (PRIOR_BOOKS + effective - 1)
    error: Array = np.sqrt(noise / effective + own + COMMON_VARIANCE_RATIO * noise * (effective / sources) ** 2)
    return error


def to_log_odds(fair: DevigResult) -> Array:
    """The opinions (n, ...) of books' fair probabilities (..., n)."""
    shape = range(fair.probabilities.ndim - 1)
    probability = fair.probabilities.transpose(-1, *shape)
    odds: Array = np.subtract(np.log(probability), np.log1p(-probability), order="C")
    return odds


def mean_probability(fair_log_odds: Array, weight: Array, total: Array) -> Array:
    """The weighted mean of `fair_log_odds` (n, L, B) as probabilities (n, L) that sum to one.

    `total` (L,) is the sum of `weight` (L, B), NaN for 0. An opinion that is missing under a weight leaves none.
    """
    x = np.where(weight > 0, independent_outcomes(fair_log_odds), 0.0)
    return _normalised_probability(sum_over_books(weight * x) / total)


def independent_outcomes(fair_log_odds: Array) -> Array:
    """What there is to pool (k, L, B) of opinions (n, L, B): two outcomes say the same thing twice."""
    return fair_log_odds[:1] if len(fair_log_odds) == TWO_WAY else fair_log_odds


def books_axis_first(values: Array) -> Array:
    """A copy (B, k, L) of `values` (k, L, B): the largest or smallest over the first axis takes a third of the time."""
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def _normalised_probability(mean: Array) -> Array:
    """Probabilities (n, L) that sum to one, of the log-odds (k, L) of what is `independent_outcomes`."""
    probability = expit(np.concatenate([mean, -mean]) if len(mean) == 1 else mean)
    return probability / booksum(probability)


def _outlying_books(x: Array, weights: Array) -> Mask:
    """Which books stand more than `OUTLIER_LOG_ODDS` from the weighted median on some outcome of `x` (k, L, B): (L,
    B).
    """
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
    """The middle of the books by weight (n, L, 1), midway between two that split the weight evenly."""
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
