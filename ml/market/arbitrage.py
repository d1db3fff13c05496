"""Sure bets: the best price of every outcome of a line, and what betting all of them returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Arbitrage:
    """The best bets on every outcome, for L lines of n outcomes.

    `price` (L, n) and `book` (L, n) the best price and the index of the first book that has it (0 where nobody
    offers the outcome); `guaranteed_return` (L,) profit per unit of total stake, 1 / sum(1 / price) - 1: an arbitrage
    where positive, NaN where an outcome is not offered; `stake_fraction` (L, n) shares of the total stake that make
    every outcome pay the same, (1 / price) / sum(1 / price).
    """

    price: Array
    book: NDArray[np.intp]
    guaranteed_return: Array
    stake_fraction: Array


def arbitrage(prices: Array) -> Arbitrage:
    """Best bets of `prices` (L, B, n); leave a book out by setting its prices to NaN."""
    if not prices.shape[1]:
        nothing = np.full((prices.shape[0], prices.shape[2]), np.nan)
        return Arbitrage(nothing, np.zeros(nothing.shape, np.intp), nothing[:, 0], nothing)
    offered = np.where(np.isnan(prices), -np.inf, prices)
    book = offered.argmax(axis=1)
    best = np.take_along_axis(prices, book[:, None, :], axis=1)[:, 0, :]
    total = (1 / best).sum(axis=1)
    return Arbitrage(best, book, 1 / total - 1, 1 / best / total[:, None])
