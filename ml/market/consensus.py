"""One fair price from many books' prices: de-vig each, pool what they say, compare the methods.

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
"""Twenty temporary arrays of this size stay in the cache; a million prices at once take 1.3 to 2 times as long."""
MIN_SLOPE = 1e-9
"""Slope of a probability by its log-odds, below which it is as good as certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The estimate for L lines; floats are NaN for a line without a pooled book.

    `probability` (L, n) sums to one, except under `WORST_CASE`: there it is the lowest of the four plain
    methods' consensus by outcome, a bound and no distribution. `log_odds_error` (L, n) of the log-odds:
    between books, between methods, of the opinions themselves. `books` (L,) counts the independent sources pooled.
    `method_spread` (L, n) is the largest minus the smallest consensus over those of the four plain methods that are
    defined for every pooled book (multiplicative and power always are). `dispersion` (L,) is the weighted standard
    deviation of the pooled books' fair log-odds, averaged over outcomes. `outlying_books` (L, B): books too far away to
    count.
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
    """De-vig decimal `prices` (L, B, n), NaN where a book has none, by `method` and `pool` what the books say.

    Without `with_method_spread` the other methods are left out: `method_spread` is NaN and the standard error lacks
    their part, which takes half the time. Raises `ValueError` for a weight that is negative or NaN.
    """
    if not (weights >= 0).all():
        msg = "weights of books must be zero or positive"
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
    """The standard error in log-odds with the choice of the method in it; arguments of one shape.

    The methods' consensuses reach from `below` the chosen one to `above` it (distances of probabilities). The truth may
    lie anywhere between: a uniform distribution, whose mean square about the chosen one is (a^2 - a b + b^2) / 3. The
    choice often is one of the ends: of a longshot power says the least, which adds twice what a middle would.
    """
    slope = np.maximum(probability * (1 - probability), MIN_SLOPE)
    square = np.maximum(below * below - below * above + above * above, 0) / 3
    total: Array = np.sqrt(log_odds_error * log_odds_error + square / slope**2)
    return total


def pool_by_method(fair_log_odds: Sequence[Array], weight: Array) -> Array:
    """The consensus (k, n, L) of each of k `fair_log_odds` (n, L, B) of the same books, one by each de-vig method.

    `weight` (L, B) is what each book counts with in all of them (`Pool.weight`); NaN for a method that is not defined
    for every such book.
    """
    total = sum_over_books(weight)
    total = np.where(total > 0, total, np.nan)
    # one method's lines beside the other's: all are pooled at once
    k = len(fair_log_odds)
    pooled = mean_probability(
        np.concatenate(fair_log_odds, axis=1), np.concatenate([weight] * k), np.concatenate([total] * k)
    )
    return pooled.reshape(len(pooled), k, len(weight)).transpose(1, 0, 2)
