"""Low hold: what betting every outcome of a market costs, for turnover that has to be made somewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.commission import net_price
from ml.arbitrage.sure import NO_BOOK, arbitrage
from ml.market.value import hold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arbitrage.sure import Arbitrage

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Holds:
    """Holds of L lines, shares of what is staked: 1 - 1 / booksum, below 0 for an arbitrage; NaN if incomplete.

    `combined` (L,) of the best prices, `best` their bets; `own` (L, B) of every book by itself, and `lowest_book`
    (L,) the first with the lowest, or `NO_BOOK`.
    """

    combined: Array
    best: Arbitrage
    own: Array
    lowest_book: NDArray[np.intp]


def holds(prices: Array, excluded: NDArray[np.bool_] | None = None, commission: Array | None = None) -> Holds:
    """Holds of decimal `prices` (L, B, n); `excluded` and `commission` as in `arbitrage`."""
    best = arbitrage(prices, excluded, commission)
    net = prices if commission is None else net_price(prices, commission[..., None])
    net = np.where((net > 1) & np.isfinite(net), net, np.nan)
    own = hold(net)
    if excluded is not None:
        own = np.where(excluded, np.nan, own)
    cost = np.where(np.isnan(own), np.inf, own)
    # before all books stands one that is as dear as those without a price: the lowest where no book has one
    lowest = np.insert(cost, 0, np.inf, axis=1).argmin(axis=1) + NO_BOOK
    return Holds(-best.guaranteed_return, best, own, lowest)


def ranking(combined: Array, top: int | None = None) -> NDArray[np.intp]:
    """The lines in ascending order of hold, incomplete ones left out; equals keep their order. At most `top`."""
    order = np.argsort(combined, kind="stable")
    return order[: np.count_nonzero(~np.isnan(combined))][:top]
