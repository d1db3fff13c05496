"""Low hold: what betting every outcome of a market costs, for turnover that has to be made somewhere."""

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
    """Holds of L lines, shares of what is staked: 1 - 1 / booksum, below 0 for an arbitrage; NaN if incomplete.

    `combined` (L,) of the best prices, `best` their bets; `by_book` (L, B) of every book by itself, and `lowest_book`
    (L,) the first with the lowest, or `NO_BOOK`.
    """

    combined: Array
    best: Arbitrage
    by_book: Array
    lowest_book: NDArray[np.intp]


def low_hold(prices: Array, excluded: NDArray[np.bool_] | None = None, commission: Array | None = None) -> LowHold:
    """Holds of decimal `prices` (L, B, n); `excluded` and `commission` as in `arbitrage`."""
    best = find_arbitrage(prices, excluded, commission)
    net = prices if commission is None else net_price(prices, commission[..., None])
    net = np.where((net > 1) & np.isfinite(net), net, np.nan)
    by_book = hold(net)
    if excluded is not None:
        by_book = np.where(excluded, np.nan, by_book)
    cost = np.where(np.isnan(by_book), np.inf, by_book)
    # before all books stands one that is as dear as those without a price: the lowest where no book has one
    lowest = np.insert(cost, 0, np.inf, axis=1).argmin(axis=1) + NO_BOOK
    return LowHold(-best.guaranteed_return, best, by_book, lowest)


def rank_by_hold(combined: Array, top: int | None = None) -> NDArray[np.intp]:
    """The lines in ascending order of hold, incomplete ones left out; equals keep their order. At most `top`."""
    order = np.argsort(combined, kind="stable")
    return order[: np.count_nonzero(~np.isnan(combined))][:top]
