"""Arbitrage where every price has a maximum stake: the highest guaranteed profit, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import ROUNDING_TOLERANCE
from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LimitedArbitrage:
    """The stakes with the highest guaranteed profit on L lines; zeros where a line has no arbitrage.

    `stake` (L, B, n) in currency, `total` (L,) their sum, `guaranteed_profit` (L,) and `guaranteed_return`
    (L,) = profit / total, NaN where nothing is staked.
    """

    stake: Array
    total: Array
    guaranteed_profit: Array
    guaranteed_return: Array


def size_limited_arbitrage(prices: Array, limit: Array, budget: Array | float) -> LimitedArbitrage:
    """Stakes at net decimal `prices` (L, B, n), each taking at most `limit` (L, B, n), of `budget` (L,) or scalar.

    B counts books, or the levels of an exchange's ladder. NaN and prices not above 1 are ignored.

    To pay P on every outcome, each is bought from its best price downwards, so its cost is convex and piecewise linear
    in P with slope 1 / (price being used). Profit P - sum of costs grows until the sum of slopes reaches 1, an outcome
    is sold out, or the budget is spent: P is the first of the three. Equal to the linear programme of `best_stakes`
    (tested).
    """
    offered = (prices > 1) & np.isfinite(prices) & (limit > 0)
    price = np.where(offered, prices, 1.0)
    profitable = np.flatnonzero(booksum((1 / price.max(axis=1, initial=1.0)).T) < 1 - ROUNDING_TOLERANCE)
    money = np.broadcast_to(np.asarray(budget, np.float64), len(prices))
    stake, payout = np.zeros(prices.shape), np.zeros(len(prices))
    if len(profitable):
        stake[profitable], payout[profitable] = _stakes(
            price[profitable], np.where(offered, limit, 0.0)[profitable], money[profitable]
        )
    total = stake.sum(axis=(1, 2))
    profit = np.maximum(payout - total, 0.0)
    return LimitedArbitrage(
        stake, total, profit, np.divide(profit, total, out=np.full_like(total, np.nan), where=total > 0)
    )


def _stakes(prices: Array, limit: Array, budget: Array) -> tuple[Array, Array]:
    """Stakes (L, B, n) and payout (L,) of lines with an arbitrage; a missing offer has price 1 and limit 0."""
    order = np.argsort(-prices, axis=1, kind="stable")
    price, room = (np.take_along_axis(table, order, axis=1) for table in (prices, limit))
    pays = np.minimum(room, budget[:, None, None]) * price
    cumulative_payout = np.cumsum(pays, axis=1)
    payout = _best_payout(np.where(pays > 0, 1 / price, np.inf), cumulative_payout, budget)
    stake = np.zeros_like(prices)
    np.put_along_axis(
        stake, order, np.clip(payout[:, None, None] - (cumulative_payout - pays), 0, pays) / price, axis=1
    )
    return stake, payout


def _best_payout(slope: Array, cumulative_payout: Array, budget: Array) -> Array:
    """The best payout P (L,); `slope` and `cumulative_payout` (L, B, n) run from the best price downwards."""
    lines, size = len(slope), slope.shape[1] * slope.shape[2]
    # where a level ends, the next one's slope takes over; after the last it is infinite
    following = np.concatenate([slope[:, 1:], np.full_like(slope[:, :1], np.inf)], axis=1)
    with np.errstate(invalid="ignore"):
        rise = np.where(np.isinf(following), np.inf, following - slope)
    ends = cumulative_payout.reshape(lines, size)
    order = np.argsort(ends, axis=1)
    at = np.concatenate([np.zeros((lines, 1)), np.take_along_axis(ends, order, axis=1)], axis=1)
    marginal = np.concatenate(
        [slope[:, 0].sum(axis=1, keepdims=True), np.take_along_axis(rise.reshape(lines, size), order, axis=1)], axis=1
    ).cumsum(axis=1)
    stop = (marginal >= 1).argmax(axis=1)
    profitable = np.arange(at.shape[1] - 1) < stop[:, None]
    step = np.where(profitable, np.diff(at, axis=1), 0.0)
    price_of_step = np.where(profitable, marginal[:, :-1], 1.0)
    spent = np.concatenate([np.zeros((lines, 1)), np.cumsum(step * price_of_step, axis=1)], axis=1)
    left = np.clip(budget[:, None] - spent[:, :-1], 0, None)
    payout: Array = np.minimum(step, left / price_of_step).sum(axis=1)
    return payout
