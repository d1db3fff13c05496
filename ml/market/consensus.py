"""One fair price from many books' prices: de-vig each, pool them, compare the methods.

Shapes: L lines, B books, n outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.market.devig import PLAIN_METHODS, DevigMethod, devig_by_method, worst_case
from ml.market.pooling import mean_probability, pool, to_log_odds
from ml.market.weights import sum_over_books

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.market.weights import CloneGroups

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PRICE_BATCH_SIZE = 40_000
"""Prices processed at once, so that the temporary arrays stay in the CPU cache."""
MIN_SLOPE = 1e-9
"""Lower bound of the derivative p (1 - p) of a probability by its log-odds, for outcomes that are nearly certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The estimate for L lines; floats are NaN for a line without a pooled book.

    `probability` (L, n) sums to one, except under `WORST_CASE`: there it is the lowest of the four plain methods'
    consensus for each outcome: a bound, not a distribution. `log_odds_error` (L, n) is the standard error of the
    log-odds: between books, between methods, and of the books' own estimates. `books` (L,) counts the independent
    sources pooled. `method_spread` (L, n) is the largest minus the smallest consensus over those of the four plain
    methods that are defined for every pooled book (multiplicative and power always are). `dispersion` (L,) is the
    weighted standard deviation of the pooled books' fair log-odds, averaged over outcomes. `outlying_books` (L, B):
    books too far away to count.
    """

    probability: Array
    log_odds_error: Array
    books: NDArray[np.int64]
    method_spread: Array
    dispersion: Array
    outlying_books: Mask


def consensus(
    prices: Array,
    weights: Array,
    method: DevigMethod = DevigMethod.POWER,
    *,
    groups: CloneGroups = (),
    variance: Array | None = None,
    with_method_spread: bool = True,
) -> Consensus:
    """De-vig decimal `prices` (L, B, n), NaN where a book has none, by `method`, and `pool` the result.

    Without `with_method_spread` the other methods are skipped, which halves the time: `method_spread` is NaN and the
    standard error does not include it. Raises `ValueError` for a weight that is negative or NaN.
    """
    if not (weights >= 0).all():
        msg = "book weights must be non-negative"
        raise ValueError(msg)
    lines = max(1, PRICE_BATCH_SIZE // max(1, prices[:1].size))
    own = np.zeros(weights.shape) if variance is None else variance
    chunks = [slice(at, at + lines) for at in range(0, max(1, len(prices)), lines)]
    parts = [
        _consensus(prices[c], weights[c], own[c], method, groups, with_method_spread=with_method_spread) for c in chunks
    ]
    columns = zip(*([getattr(part, f.name) for f in fields(Consensus)] for part in parts), strict=True)
    return Consensus(*map(np.concatenate, columns))


def _consensus(
    prices: Array,
    weights: Array,
    variance: Array,
    method: DevigMethod,
    groups: CloneGroups,
    *,
    with_method_spread: bool,
) -> Consensus:
    worst = method is DevigMethod.WORST_CASE
    compared = PLAIN_METHODS if with_method_spread or worst else ()
    each = devig_by_method(prices, compared if worst else dict.fromkeys((*compared, method)))
    own = worst_case(each.values()) if worst else each[method]
    market = pool(to_log_odds(own), weights, groups=groups, variance=variance)
    plain = [to_log_odds(each[name]) for name in compared]
    pooled = pool_by_method(plain, market.weight) if plain else np.full((1, *market.log_odds_error.shape), np.nan)
    lowest, highest = np.fmin.reduce(pooled), np.fmax.reduce(pooled)
    fair = lowest if worst else market.probability
    return Consensus(
        probability=fair.T,
        log_odds_error=(
            add_method_uncertainty(market.log_odds_error, fair, fair - lowest, highest - fair)
            if plain
            else market.log_odds_error
        ).T,
        books=market.books,
        method_spread=(highest - lowest).T,
        dispersion=market.dispersion,
        outlying_books=market.outlying_books,
    )


def add_method_uncertainty(log_odds_error: Array, probability: Array, below: Array, above: Array) -> Array:
    """Add the uncertainty about the de-vig method to a standard error in log-odds; arguments of one shape.

    The methods' consensus probabilities range from `below` the chosen one to `above` it (distances in probability). The
    truth may lie anywhere in between: a uniform distribution, whose mean square about the chosen one is (a^2 - a b +
    b^2) / 3. The chosen method is often at one end (power is the lowest on longshots), which adds twice the error of a
    central one.
    """
    slope = np.maximum(probability * (1 - probability), MIN_SLOPE)
    square = np.maximum(below * below - below * above + above * above, 0) / 3
    total: Array = np.sqrt(log_odds_error * log_odds_error + square / slope**2)
    return total


def pool_by_method(fair_log_odds: Sequence[Array], weight: Array) -> Array:
    """The consensus (k, n, L) of k arrays `fair_log_odds` (n, L, B) of the same books, one for each de-vig method.

    `weight` (L, B) is each book's weight in all of them (`Pool.weight`); NaN for a method that is not defined for every
    such book.
    """
    total = sum_over_books(weight)
    total = np.where(total > 0, total, np.nan)
    # the methods' lines one after the other, so that all are pooled at once
    k = len(fair_log_odds)
    pooled = mean_probability(
        np.concatenate(fair_log_odds, axis=1), np.concatenate([weight] * k), np.concatenate([total] * k)
    )
    return pooled.reshape(len(pooled), k, len(weight)).transpose(1, 0, 2)
