"""Stakes that books accept: whole increments between the smallest and the largest stake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import ROUNDING_TOLERANCE
from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CANDIDATE_PAYOUTS = 256
"""Payouts tried per outcome; `BookableStakes.exact` shows whether they were enough."""
LINE_BATCH_SIZE = 128
WHOLE_TOLERANCE = 1e-9
"""A stake of 19.999999999 increments is 20."""


@dataclass(frozen=True, slots=True, eq=False)
class BookableStakes:
    """Bookable stakes of L lines; zeros where none guarantee a profit.

    `stake` (L, n) in currency, one bet per outcome, and `total` (L,) their sum; `guaranteed_profit` (L,) after
    rounding, above 0 wherever something is staked, and `guaranteed_return` (L,) = profit / total, NaN where
    nothing is. `exact` (L,): no other bookable stakes guarantee more.
    """

    stake: Array
    total: Array
    guaranteed_profit: Array
    guaranteed_return: Array
    exact: NDArray[np.bool_]


def round_stakes(
    prices: Array,
    budget: Array | float,
    increment: Array | float,
    minimum: Array | float = 0.0,
    maximum: Array | float = np.inf,
    candidates: int = CANDIDATE_PAYOUTS,
) -> BookableStakes:
    """The bookable stakes on net decimal `prices` (L, n) that guarantee the highest profit within `budget` (L,).

    `increment` > 0, `minimum` and `maximum` broadcast to (L, n). To pay P, outcome j needs ceil(P / (o_j i_j))
    increments i_j, and some outcome pays P exactly: so the best P is among the o_j k i_j, k = 1, 2, ... . The
    `candidates` highest of each outcome that limits and budget allow are tried. A payout P gains at most P (1 -
    booksum), which proves most answers `exact` against the payouts not tried; for the others raise `candidates`.

    Raises `ValueError` for an increment that is not positive.
    """
    step, low, high = (np.broadcast_to(np.asarray(x, np.float64), prices.shape) for x in (increment, minimum, maximum))
    money = np.broadcast_to(np.asarray(budget, np.float64), len(prices))
    if not (step > 0).all():
        msg = "increments must be positive"
        raise ValueError(msg)
    fewest, most = (
        np.ceil(low / step - WHOLE_TOLERANCE),
        np.floor(np.minimum(high, money[:, None]) / step + WHOLE_TOLERANCE),
    )
    margin = 1 - booksum((1 / np.where((prices > 1) & np.isfinite(prices), prices, np.nan)).T)
    lines = np.flatnonzero((margin > ROUNDING_TOLERANCE) & (fewest <= most).all(axis=1))
    stake, exact = np.zeros(prices.shape), np.ones(len(prices), np.bool_)
    for at in range(0, len(lines), LINE_BATCH_SIZE):
        some = lines[at : at + LINE_BATCH_SIZE]
        columns = (x[some] for x in (prices, step, fewest, most, money, margin))
        stake[some], exact[some] = _best_stakes(*columns, candidates=candidates)
    total = stake.sum(axis=1)
    profit = np.where(total > 0, (stake * np.where(np.isfinite(prices), prices, 0.0)).min(axis=1) - total, 0.0)
    return BookableStakes(
        stake, total, profit, np.divide(profit, total, out=np.full_like(total, np.nan), where=total > 0), exact
    )


def _best_stakes(
    price: Array, step: Array, fewest: Array, most: Array, money: Array, margin: Array, *, candidates: int
) -> tuple[Array, NDArray[np.bool_]]:
    pays = price * step
    # no payout is above what the budget buys without rounding, nor above the largest stakes
    top = np.minimum((most * pays).min(axis=1), money / (1 - margin))
    last = np.floor(top[:, None] / pays + WHOLE_TOLERANCE)
    k = np.maximum(last[:, :, None] - np.arange(candidates), 0.0)
    payout = (k * pays[:, :, None]).reshape(len(price), -1)
    count = np.maximum(np.ceil(payout[:, :, None] / pays[:, None, :] - WHOLE_TOLERANCE), fewest[:, None, :])
    spent = (count * step[:, None, :]).sum(axis=2)
    profit = (count * pays[:, None, :]).min(axis=2) - spent
    allowed = (count <= most[:, None, :]).all(axis=2) & (spent <= money[:, None] * (1 + WHOLE_TOLERANCE))
    profit = np.where(allowed, profit, -np.inf)
    best = profit.argmax(axis=1)
    gain = np.maximum(np.take_along_axis(profit, best[:, None], axis=1)[:, 0], 0.0)
    chosen = np.take_along_axis(count, best[:, None, None], axis=1)[:, 0] * step
    untried = np.where(last >= candidates, (last - candidates) * pays, 0.0).max(axis=1)
    stake = np.where(gain[:, None] > WHOLE_TOLERANCE * money[:, None], chosen, 0.0)
    return stake, untried * margin <= gain + WHOLE_TOLERANCE
