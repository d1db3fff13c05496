"""Sure bets: the best price of every outcome of a line, and what betting all of them returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NO_BOOK = -1
ROUNDING = 1e-12
"""Of the exact complements +100/-100 to +2000/-2000, one in six costs 1 - 1e-16: no arbitrage."""


@dataclass(frozen=True, slots=True, eq=False)
class Arbitrage:
    """The best bets on every outcome, for L lines of n outcomes; NaN where an outcome is not offered.

    `price` (L, n) the best price and `book` (L, n) the index of the first book that has it, or `NO_BOOK`;
    `margin` (L,) = 1 - sum(1 / price), an arbitrage where positive; `guaranteed_return` (L,) profit per unit
    of total stake, 1 / sum(1 / price) - 1; `stake_fraction` (L, n) shares of the total stake that make every
    outcome pay the same, (1 / price) / sum(1 / price).
    """

    price: Array
    book: NDArray[np.intp]
    margin: Array
    guaranteed_return: Array
    stake_fraction: Array


def arbitrage(prices: Array, excluded: NDArray[np.bool_] | None = None) -> Arbitrage:
    """Best bets of decimal `prices` (L, B, n).

    Passed over are NaN, prices that cannot be (infinite, or not above 1), and the books of the mask
    `excluded`, (B,) for all lines or (L, B).
    """
    lines, books, n = prices.shape
    if not books:
        return arbitrage(np.full((lines, 1, n), np.nan))
    offered = (prices > 1) & np.isfinite(prices)
    if excluded is not None:
        offered &= ~excluded[..., None]
    book = np.where(offered, prices, -np.inf).argmax(axis=1)
    found = offered.any(axis=1)
    best = np.where(found, np.take_along_axis(prices, book[:, None, :], axis=1)[:, 0, :], np.nan)
    cost = booksum((1 / best).T)
    cost = np.where(np.abs(cost - 1) < ROUNDING, 1.0, cost)
    return Arbitrage(best, np.where(found, book, NO_BOOK), 1 - cost, 1 / cost - 1, 1 / best / cost[:, None])
