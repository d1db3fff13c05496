"""Arbitrage: the best price of every outcome of a line, and the return from betting all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.arbitrage.commission import net_price
from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NO_BOOK = -1
ROUNDING_TOLERANCE = 1e-12
"""Rounding turns one in six of the exact complements +100/-100 to +2000/-2000 into a booksum of 1 - 1e-16."""


@dataclass(frozen=True, slots=True, eq=False)
class Arbitrage:
    """The best bets on every outcome, for L lines of n outcomes; NaN where an outcome is not offered.

    `price` (L, n) the best price as offered, `net_price` (L, n) the same after commission, and `book` (L, n)
    the index of the first book that has it, or `NO_BOOK`; `margin` (L,) = 1 - sum(1 / net price), an
    arbitrage where positive; `guaranteed_return` (L,) profit per unit of total stake,
    1 / sum(1 / net price) - 1, and the negative of the combined hold; `stake_fraction` (L, n) shares of the
    total stake that make every outcome pay the same, (1 / net price) / sum(1 / net price).
    """

    price: Array
    net_price: Array
    book: NDArray[np.intp]
    margin: Array
    guaranteed_return: Array
    stake_fraction: Array

    def take(self, lines: NDArray[Any]) -> Arbitrage:
        """The rows of some lines."""
        return Arbitrage(*(getattr(self, field.name)[lines] for field in fields(self)))


def find_arbitrage(
    prices: Array, excluded: NDArray[np.bool_] | None = None, commission: Array | None = None
) -> Arbitrage:
    """The best bets at decimal `prices` (L, B, n), one on every outcome.

    Ignored are NaN, invalid prices (infinite, or not above 1), and the books of the mask `excluded`, (B,) for all lines
    or (L, B). `commission` (B,) or (L, B) is each book's share of net winnings, 0 <= c < 1: the best price is the best
    after commission.
    """
    lines, books, n = prices.shape
    if not books:
        return find_arbitrage(np.full((lines, 1, n), np.nan))
    # books last and contiguous: the maximum is found faster
    offers = np.swapaxes(prices, 1, 2).copy()
    if commission is not None:
        offers = net_price(offers, commission[..., None, :])
    hidden = ~((offers > 1) & (offers < np.inf))
    if excluded is not None:
        hidden |= excluded[..., None, :]
    offers[hidden] = -np.inf
    book = offers.argmax(axis=2)
    line, outcome = np.arange(lines)[:, None], np.arange(n)
    best = offers[line, outcome, book]
    found = best > 0
    best = np.where(found, best, np.nan)
    price = np.where(found, prices[line, book, outcome], np.nan)
    cost = booksum((1 / best).T)
    cost = np.where(np.abs(cost - 1) < ROUNDING_TOLERANCE, 1.0, cost)
    stake_fraction = 1 / best / cost[:, None]
    return Arbitrage(price, best, np.where(found, book, NO_BOOK), 1 - cost, 1 / cost - 1, stake_fraction)
