"""One fair price from many books' prices: de-vig each, pool what they say, compare the methods.

Shapes: L lines, B books, n outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.market.devig import PLAIN_METHODS, DevigMethod, devig_each, worst_case
from ml.market.pooling import log_odds, mean_probability, pool
from ml.market.weights import over_books

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.market.weights import Clones

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PRICES_AT_ONCE = 40_000
"""Twenty temporary arrays of this size stay in the cache; a million prices at once take 1.3 to 2 times as long."""
FLATTEST = 1e-9
"""Slope of a probability by its log-odds, below which it is as good as certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The estimate for L lines; floats are NaN for a line without a pooled book.

    `probability` (L, n) sums to one, except under `WORST_CASE`: there it is the lowest of the four plain
    methods' consensus by outcome, a bound and no distribution. `standard_error` (L, n) of the log-odds:
    between books, between methods, of the opinions themselves. `books` (L,) counts the independent sources pooled.
    `method_spread` (L, n) is the largest minus the smallest consensus over those of the four plain methods that are
    defined for every pooled book (multiplicative and power always are). `dispersion` (L,) is the weighted standard
    deviation of the pooled books' fair log-odds, averaged over outcomes. `far` (L, B): books too far away to count.
    """

    probability: Array
    standard_error: Array
    books: NDArray[np.int64]
    method_spread: Array
    dispersion: Array
    far: Mask


def consensus(
    prices: Array,
    weights: Array,
    method: DevigMethod = DevigMethod.POWER,
    *,
    groups: Clones = (),
    variance: Array | None = None,
    spread: bool = True,
) -> Consensus:
    """De-vig decimal `prices` (L, B, n), NaN where a book has none, by `method` and `pool` what the books say.

    Without `spread` the other methods are left out: `method_spread` is NaN and the standard error lacks their part,
    which takes half the time. Raises `ValueError` for a weight that is negative or NaN.
    """
    if not (weights >= 0).all():
        msg = "weights of books must be zero or positive"
        raise ValueError(msg)
    lines = max(1, PRICES_AT_ONCE // max(1, prices[:1].size))
    own = np.zeros(weights.shape) if variance is None else variance
    chunks = [slice(at, at + lines) for at in range(0, max(1, len(prices)), lines)]
    parts = [_consensus(prices[c], weights[c], own[c], method, groups, spread=spread) for c in chunks]
    columns = zip(*([getattr(part, f.name) for f in fields(Consensus)] for part in parts), strict=True)
    return Consensus(*map(np.concatenate, columns))


def _consensus(
    prices: Array,
    weights: Array,
    variance: Array,
    method: DevigMethod,
    groups: Clones,
    *,
    spread: bool,
) -> Consensus:
    worst = method is DevigMethod.WORST_CASE
    compared = PLAIN_METHODS if spread or worst else ()
    each = devig_each(prices, compared if worst else dict.fromkeys((*compared, method)))
    own = worst_case(each.values()) if worst else each[method]
    market = pool(log_odds(own), weights, groups=groups, variance=variance)
    plain = [log_odds(each[name]) for name in compared]
    pooled = pool_each(plain, market.weight) if plain else np.full((1, *market.error.shape), np.nan)
    lowest, highest = np.fmin.reduce(pooled), np.fmax.reduce(pooled)
    fair = lowest if worst else market.probability
    return Consensus(
        probability=fair.T,
        standard_error=(with_methods(market.error, fair, fair - lowest, highest - fair) if plain else market.error).T,
        books=market.books,
        method_spread=(highest - lowest).T,
        dispersion=market.dispersion,
        far=market.far,
    )


def with_methods(error: Array, probability: Array, below: Array, above: Array) -> Array:
    """The standard error in log-odds with the choice of the method in it; arguments of one shape.

    The methods' consensuses reach from `below` the chosen one to `above` it (distances of probabilities). The truth may
    lie anywhere between: a uniform distribution, whose mean square about the chosen one is (a^2 - a b + b^2) / 3. The
    choice often is one of the ends: of a longshot power says the least, which adds twice what a middle would.
    """
    slope = np.maximum(probability * (1 - probability), FLATTEST)
    square = np.maximum(below * below - below * above + above * above, 0) / 3
    total: Array = np.sqrt(error * error + square / slope**2)
    return total


def pool_each(opinions: Sequence[Array], weight: Array) -> Array:
    """The consensus (k, n, L) of each of k `opinions` (n, L, B) of the same books, one by each de-vig method.

    `weight` (L, B) is what each book counts with in all of them (`Pool.weight`); NaN for a method that is not defined
    for every such book.
    """
    total = over_books(weight)
    total = np.where(total > 0, total, np.nan)
    # one method's lines beside the other's: all are pooled at once
    k = len(opinions)
    pooled = mean_probability(
        np.concatenate(opinions, axis=1), np.concatenate([weight] * k), np.concatenate([total] * k)
    )
    return pooled.reshape(len(pooled), k, len(weight)).transpose(1, 0, 2)
