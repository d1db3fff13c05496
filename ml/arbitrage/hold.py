"""Low hold: the cost of betting every outcome of a market, for users who need turnover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import NO_BOOK, find_arbitrage
from ml.arbitrage.commission import net_price
from ml.market.value import hold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arbitrage.best_price import Arbitrage

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LowHold:
    """Holds of L lines, as shares of the total stake: 1 - 1 / booksum, below 0 for an arbitrage; NaN if incomplete.

    `combined` (L,) of the best prices, `best` their bets; `by_book` (L, B) of each book; `lowest_book` (L,) the first
    one with the lowest hold, or `NO_BOOK`.
    """

    combined: Array
    best: Arbitrage
    by_book: Array
    lowest_book: NDArray[np.intp]


def low_hold(prices: Array, excluded: NDArray[np.bool_] | None = None, commission: Array | None = None) -> LowHold:
    """Holds of decimal `prices` (L, B, n); `excluded` and `commission` as in `find_arbitrage`."""
    best = find_arbitrage(prices, excluded, commission)
    net = prices if commission is None else net_price(prices, commission[..., None])
    net = np.where((net > 1) & np.isfinite(net), net, np.nan)
    by_book = hold(net)
    if excluded is not None:
        by_book = np.where(excluded, np.nan, by_book)
    cost = np.where(np.isnan(by_book), np.inf, by_book)
    # a column of infinity before the books wins the argmin where no book has a price
    lowest = np.insert(cost, 0, np.inf, axis=1).argmin(axis=1) + NO_BOOK
    return LowHold(-best.guaranteed_return, best, by_book, lowest)


def rank_by_hold(combined: Array, top: int | None = None) -> NDArray[np.intp]:
    """The lines in ascending order of hold, incomplete ones left out; equals keep their order. At most `top`."""
    order = np.argsort(combined, kind="stable")
    return order[: np.count_nonzero(~np.isnan(combined))][:top]
