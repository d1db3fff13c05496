"""One fair price from many books: the weighted mean of their fair log-probabilities, renormalised.

The logarithmic opinion pool (Genest & Zidek 1986). For two outcomes it is the weighted mean of fair
log-odds. Shapes: L lines, B books, n outcomes; inside, outcomes come first and books last.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.market.devig import PLAIN_METHODS, DevigMethod, DevigStatus, devig_each, worst_case
from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.market.devig import Devigged

    Array = NDArray[np.float64]

PRICES_AT_ONCE = 40_000
"""Twenty temporary arrays of this size stay in the cache; a million prices at once take 1.3 to 2 times as long."""
HALF = 0.5
WEIGHT_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The pooled estimate; floats are NaN for a line without a pooled book.

    A book is pooled where its prices can be de-vigged by the method asked for and its weight is positive.

    `probability` (L, n) sums to one, except under `WORST_CASE`: there it is the lowest of the four plain
    methods' consensus by outcome, a bound and no distribution. `books` (L,) counts the pooled books.
    `method_spread` (L, n) is the largest minus the smallest consensus over those of the four plain
    methods that are defined for every pooled book (multiplicative and power always are). `dispersion` (L,) is the
    weighted standard deviation of the pooled books' fair log-odds, averaged over outcomes. `deviation` (L,
    B) is each book's distance in log-odds from the pooled books' weighted median, the largest over outcomes;
    a book of weight zero has one too, NaN means no fair price.
    """

    probability: Array
    books: NDArray[np.int64]
    method_spread: Array
    dispersion: Array
    deviation: Array


def consensus(
    prices: Array, weights: Array, method: DevigMethod = DevigMethod.POWER, *, spread: bool = True
) -> Consensus:
    """Pool decimal `prices` (L, B, n), NaN where a book has none, with `weights` (L, B) >= 0.

    Without `spread` the other methods are left out and `method_spread` is NaN, which takes half the time.
    A line's result does not depend on the other lines, nor on the order of the books, nor on books without
    prices, to the last bit. Raises `ValueError` for a weight that is negative or NaN.
    """
    if not (weights >= 0).all():
        msg = "weights of books must be zero or positive"
        raise ValueError(msg)
    lines = max(1, PRICES_AT_ONCE // max(1, prices[:1].size))
    parts = [
        _consensus(prices[at : at + lines], weights[at : at + lines], method, spread=spread)
        for at in range(0, max(1, len(prices)), lines)
    ]
    columns = zip(*([getattr(part, f.name) for f in fields(Consensus)] for part in parts), strict=True)
    return Consensus(*map(np.concatenate, columns))


def _consensus(prices: Array, weights: Array, method: DevigMethod, *, spread: bool) -> Consensus:
    worst = method is DevigMethod.WORST_CASE
    compared = PLAIN_METHODS if spread or worst else ()
    each = devig_each(prices, compared if worst else dict.fromkeys((*compared, method)))
    own = worst_case(each.values()) if worst else each[method]
    weight = np.where(own.status == DevigStatus.OK, weights, 0.0)
    total = _over_books(weight)
    pooled = np.stack([_pool(fair, weight, total) for fair in each.values()])
    plain = pooled[: len(compared)] if compared else np.full((1, *pooled.shape[1:]), np.nan)
    lowest, highest = np.fmin.reduce(plain), np.fmax.reduce(plain)
    log_odds = _log_odds(own)
    return Consensus(
        probability=(lowest if worst else pooled[list(each).index(method)]).T,
        books=np.count_nonzero(weight, axis=1),
        method_spread=(highest - lowest).T,
        dispersion=_dispersion(log_odds, weight, total),
        deviation=np.abs(log_odds - _weighted_median(log_odds, weight)).max(axis=0),
    )


def _over_books(terms: Array) -> Array:
    """Sum along the last axis, from the smallest term to the largest.

    So the last bit depends neither on the order of the books, which a restart may change, nor on columns of
    books without a price, nor on the number of lines: `np.sum` groups its terms by the array's shape.
    """
    if not terms.shape[-1]:
        return np.zeros(terms.shape[:-1])
    total: Array = np.add.accumulate(np.sort(terms, axis=-1), axis=-1)[..., -1]
    return total


def _mean(values: Array, weight: Array, total: Array) -> Array:
    """Weighted mean over books of `values` (n, L, B), NaN where no book has a weight (n, L)."""
    terms = weight * np.where(weight > 0, values, 0.0)
    return _over_books(terms) / np.where(total > 0, total, np.nan)


def _pool(fair: Devigged, weight: Array, total: Array) -> Array:
    """One method's consensus (n, L), NaN where the method is not defined for every pooled book."""
    logs = np.log(np.moveaxis(fair.probabilities, -1, 0), order="C")
    pooled = np.exp(_mean(logs, weight, total))
    return pooled / booksum(pooled)


def _log_odds(fair: Devigged) -> Array:
    probability = np.moveaxis(fair.probabilities, -1, 0)
    log_odds: Array = np.subtract(np.log(probability), np.log1p(-probability), order="C")
    return log_odds


def _dispersion(log_odds: Array, weight: Array, total: Array) -> Array:
    """Weighted standard deviation of the books' log-odds, averaged over outcomes (L,)."""
    mean = _mean(log_odds, weight, total)
    variance = _mean((log_odds - mean[..., None]) ** 2, weight, total)
    return booksum(np.sqrt(variance)) / len(variance)


def _weighted_median(log_odds: Array, weight: Array) -> Array:
    """The middle of the pooled books by weight (n, L, 1), midway between two that split the weight evenly."""
    if not weight.shape[-1]:
        return np.full((*log_odds.shape[:-1], 1), np.nan)
    order = np.where(weight > 0, log_odds, np.inf).argsort(axis=-1)
    cumulated = np.take_along_axis(np.broadcast_to(weight, log_odds.shape), order, axis=-1).cumsum(axis=-1)
    half = HALF * cumulated[..., -1:]
    lower = (cumulated >= half * (1 - WEIGHT_ROUNDING)).argmax(axis=-1)[..., None]
    upper = (cumulated > half * (1 + WEIGHT_ROUNDING)).argmax(axis=-1)[..., None]
    middle = np.take_along_axis(order, np.concatenate([lower, upper], axis=-1), axis=-1)
    median = np.take_along_axis(log_odds, middle, axis=-1).mean(axis=-1, keepdims=True)
    return np.where(half > 0, median, np.nan)
