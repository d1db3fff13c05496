"""One fair price from many books: the weighted mean of their fair log-probabilities.

The logarithmic opinion pool (Genest & Zidek 1986): exp of the weighted mean of log p, renormalised. For two
outcomes it is exactly the weighted mean of fair log-odds. Shapes: L lines, B books, n outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.market.devig import PLAIN_METHODS, DevigMethod, devig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The pooled estimate, NaN for a line without a usable book.

    `probability` (L, n); `books` (L,) how many were pooled; `method_spread` (L, n) the largest minus the smallest
    consensus over the plain de-vig methods; `dispersion` (L,) the weighted standard deviation of the pooled books'
    log-odds, averaged over outcomes; `deviation` (L, B) each book's largest distance from the weighted median
    in log-odds, NaN for a book that is not usable.
    """

    probability: Array
    books: NDArray[np.int64]
    method_spread: Array
    dispersion: Array
    deviation: Array


def consensus(prices: Array, weights: Array, method: DevigMethod = DevigMethod.POWER) -> Consensus:
    """Pool decimal `prices` (L, B, n) with `weights` (L, B) >= 0.

    A book counts where its market is complete, its prices can be de-vigged by `method` and its weight is positive.
    With `WORST_CASE` the pool is not renormalised, so that it stays as low as its parts.
    """
    fair = {m: _logs(prices, m) for m in {*PLAIN_METHODS, method}}
    usable = (weights > 0) & ~np.isnan(fair[method]).any(axis=2)
    weight = np.where(usable, weights, 0.0)
    pooled = {m: _pool(logs, weight, renormalise=m is not DevigMethod.WORST_CASE) for m, logs in fair.items()}
    plain = np.stack([pooled[m] for m in PLAIN_METHODS])
    odds = np.where(usable[:, :, None], fair[method] - np.log1p(-np.exp(fair[method])), np.nan)
    return Consensus(
        probability=pooled[method],
        books=usable.sum(axis=1),
        method_spread=np.fmax.reduce(plain) - np.fmin.reduce(plain),
        dispersion=_spread(odds, weight),
        deviation=np.abs(odds - _weighted_median(odds, weight)[:, None, :]).max(axis=2),
    )


def _logs(prices: Array, method: DevigMethod) -> Array:
    logs: Array = np.log(devig(prices, method).probabilities)
    return logs


def _pool(logs: Array, weight: Array, *, renormalise: bool) -> Array:
    """Weighted mean of log-probabilities over the books that have them, back as probabilities (L, n)."""
    weight = np.where(np.isnan(logs).any(axis=2), 0.0, weight)[:, :, None]
    total = weight.sum(axis=1)
    mean = (weight * np.nan_to_num(logs)).sum(axis=1) / np.where(total > 0, total, np.nan)
    pooled: Array = np.exp(mean)
    return pooled / pooled.sum(axis=1, keepdims=True) if renormalise else pooled


def _spread(odds: Array, weight: Array) -> Array:
    total = np.where(weight.sum(axis=1) > 0, weight.sum(axis=1), np.nan)[:, None]
    w, values = weight[:, :, None], np.nan_to_num(odds)
    mean = (w * values).sum(axis=1) / total
    variance: Array = (w * (values - mean[:, None, :]) ** 2).sum(axis=1) / total
    return np.sqrt(variance).mean(axis=1)


def _weighted_median(odds: Array, weight: Array) -> Array:
    """The (lower) weighted median over books (L, n); NaN where no book is usable."""
    order = np.argsort(odds, axis=1)  # NaN sorts last
    ordered = np.take_along_axis(odds, order, axis=1)
    cumulated = np.take_along_axis(np.broadcast_to(weight[:, :, None], odds.shape), order, axis=1).cumsum(axis=1)
    middle = (cumulated >= cumulated[:, -1:, :] / 2).argmax(axis=1)
    return np.take_along_axis(ordered, middle[:, None, :], axis=1)[:, 0, :]
