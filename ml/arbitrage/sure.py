"""Sure bets: the best price of every outcome of a line, and what betting all of them returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.commission import net_price
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


def arbitrage(prices: Array, excluded: NDArray[np.bool_] | None = None, commission: Array | None = None) -> Arbitrage:
    """Best bets of decimal `prices` (L, B, n), one on every outcome.

    Passed over are NaN, prices that cannot be (infinite, or not above 1), and the books of the mask
    `excluded`, (B,) for all lines or (L, B). `commission` (B,) or (L, B) is each book's share of net winnings,
    0 <= c < 1: the best price is the best after commission.
    """
    lines, books, n = prices.shape
    if not books:
        return arbitrage(np.full((lines, 1, n), np.nan))
    net = prices if commission is None else net_price(prices, commission[..., None])
    book = _best_book(net, excluded)
    found = book != NO_BOOK
    price, best = (
        np.where(found, np.take_along_axis(table, book[:, None, :], axis=1)[:, 0, :], np.nan) for table in (prices, net)
    )
    cost = booksum((1 / best).T)
    cost = np.where(np.abs(cost - 1) < ROUNDING, 1.0, cost)
    return Arbitrage(price, best, book, 1 - cost, 1 / cost - 1, 1 / best / cost[:, None])


def _best_book(net: Array, excluded: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """The first book with the highest price of each outcome (L, n), `NO_BOOK` where none has a sound one."""
    offered = (net > 1) & (net < np.inf)
    if excluded is not None:
        offered &= ~excluded[..., None]
    book = np.where(offered, net, -np.inf).argmax(axis=1)
    return np.where(offered.any(axis=1), book, NO_BOOK)
