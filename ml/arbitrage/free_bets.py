"""Hedging free bets and refunds by backing the other outcomes, in closed form.

All arguments broadcast. `cover` is the sum of 1 / net price over the other outcomes, each at its best book: the cost of
one unit paid whenever the promoted bet does not win. To hedge with a lay, take 1 / `lay_as_back`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import NO_BOOK, find_arbitrage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Hedge:
    """`payout` of each other outcome, which is backed with payout / price, and `guaranteed_profit` of all bets
    together.
    """

    payout: Array
    guaranteed_profit: Array


def hedge(win: Array, lose: Array, cover: Array) -> Hedge:
    """The hedge with the highest guaranteed profit for a bet whose profit is `win` or `lose`, in currency.

    Profits are equal at payout Q = win - lose, which guarantees win - Q cover. Nothing is hedged where Q <= 0 or where
    covering costs as much as it pays (cover >= 1): then the smaller of the two is guaranteed.
    """
    payout = np.where((win > lose) & (cover < 1), win - lose, np.where(np.isnan(cover), np.nan, 0.0))
    return Hedge(payout, np.minimum(win - payout * cover, lose + payout * (1 - cover)))


def hedge_free_bet_snr(stake: Array, price: Array, cover: Array) -> Hedge:
    """A free bet whose stake is not returned: it pays stake (price - 1) or nothing.

    The conversion rate, profit / stake, is (price - 1)(1 - cover).
    """
    return hedge(stake * (price - 1), np.zeros_like(stake), cover)


def hedge_free_bet_sr(stake: Array, price: Array, cover: Array) -> Hedge:
    """A free bet whose stake is paid out with the winnings: it pays stake x price or nothing.

    The conversion rate is price (1 - cover).
    """
    return hedge(stake * price, np.zeros_like(stake), cover)


def hedge_risk_free_bet(stake: Array, price: Array, cover: Array, refund: Array) -> Hedge:
    """A "risk-free" bet: its profit is stake (price - 1), or -stake + `refund` if it loses.

    `refund` is in currency: cash counts in full, free bets times their expected conversion rate (.7, say).
    """
    return hedge(stake * (price - 1), refund - stake, cover)


@dataclass(frozen=True, slots=True, eq=False)
class FreeBetConversion:
    """The best use of a free bet at one book for each of L lines.

    `rate` (L, n) for each outcome it could be placed on, NaN where that cannot be hedged; `outcome` (L,) the best one,
    `NO_BOOK` where there is none; `book` (L, n) the best books for hedging, the free bet's own included.
    """

    rate: Array
    outcome: NDArray[np.intp]
    book: NDArray[np.intp]


def best_conversion(
    prices: Array, book_column: int, *, stake_returned: bool = False, commission: Array | None = None
) -> FreeBetConversion:
    """Conversion rates of a free bet at column `book_column` of `prices` (L, B, n), hedged at the best prices.

    `stake_returned` is whether the stake is paid out with the winnings; `commission` as in `find_arbitrage`.
    """
    best = find_arbitrage(prices, commission=commission)
    own = np.where((prices[:, book_column] > 1) & np.isfinite(prices[:, book_column]), prices[:, book_column], np.nan)
    implied = 1 / best.net_price
    others = ~np.eye(implied.shape[1], dtype=np.bool_)
    cover = np.where(others, implied[:, None, :], 0.0).sum(axis=2)
    bet = hedge_free_bet_sr if stake_returned else hedge_free_bet_snr
    rate = bet(np.ones_like(own), own, cover).guaranteed_profit
    usable = np.where(np.isnan(rate), -np.inf, rate)
    outcome = np.where((usable > 0).any(axis=1), usable.argmax(axis=1), NO_BOOK)
    return FreeBetConversion(rate, outcome, best.book)
