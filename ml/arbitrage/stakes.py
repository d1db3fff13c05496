"""The stakes with the highest guaranteed profit within books' limits: a linear programme, solved by HiGHS (`linprog`).

For what the closed forms of this package do not cover: any mix of bets (several books per outcome, middles with pushes,
free bets already placed) under a budget, minimum and maximum stakes and increments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Bounds = tuple[float | None, float | None]

CONTINUOUS, SEMI_CONTINUOUS, SEMI_INTEGER = 0, 2, 3
"""`linprog`'s kinds of variables: within bounds; zero or within bounds; and also a whole number."""
PROFIT_TOLERANCE = 1e-9
"""Profits per unit of budget that count as zero; the solver's own tolerance is 1e-7."""


@dataclass(frozen=True, slots=True, eq=False)
class StakeLimits:
    """Stake limits of K bets, in units of currency.

    A stake is 0 or between `minimum` and `maximum` (K,), and a multiple of `increment` (K,) where that is
    positive. `unlimited` gives limits that no bet meets.
    """

    minimum: Array
    maximum: Array
    increment: Array

    @classmethod
    def without_limits(cls, bets: int) -> StakeLimits:
        """No minimum, no maximum, no increment."""
        return cls(np.zeros(bets), np.full(bets, np.inf), np.zeros(bets))


@dataclass(frozen=True, slots=True, eq=False)
class BestStakes:
    """`stake` (K,) on every bet, and `guaranteed_profit`: the profit in the worst state, placed bets included.

    Where nothing beats not betting, every stake is 0 and the profit is that of the bets already placed.
    """

    stake: Array
    guaranteed_profit: float


def best_stakes(
    profit: Array, budget: float, limits: StakeLimits | None = None, placed_profit: Array | None = None
) -> BestStakes:
    """Maximise the smallest profit over all states.

    `profit` (S, K) is bet k's profit per unit staked in state s: price - 1 won, 0 pushed, -1 lost; `placed_profit` (S,)
    the profit of the bets already placed. Solves max t subject to placed + profit x >= t, sum x <= budget and the
    limits on x; with minimum stakes or increments a mixed-integer programme.

    Raises `ValueError` where profits are not finite or the budget is not positive and finite, and `ArithmeticError` if
    the solver finds no solution.
    """
    states, bets = profit.shape
    limits = limits or StakeLimits.without_limits(bets)
    placed_profit = np.zeros(states) if placed_profit is None else placed_profit
    if not (np.isfinite(profit).all() and np.isfinite(placed_profit).all() and 0 < budget < np.inf):
        msg = "profits must be finite, and the budget positive and finite"
        raise ValueError(msg)
    unit, bounds, kinds = _solver_variables(limits, budget)
    solved = linprog(
        np.append(np.zeros(bets), -1.0),
        A_ub=np.vstack([np.column_stack([-profit * unit, np.ones(states)]), np.append(unit, 0.0)]),
        b_ub=np.append(placed_profit, budget),
        bounds=[*bounds, (None, None)],
        integrality=np.append(kinds, CONTINUOUS),
    )
    if solved.x is None:
        raise ArithmeticError(solved.message)
    return _to_best_stakes(solved.x[:-1], unit, kinds, profit, placed_profit, budget)


def _solver_variables(limits: StakeLimits, budget: float) -> tuple[Array, list[Bounds], NDArray[np.int64]]:
    """The unit (K,) each variable counts in, its bounds and its kind."""
    stepped = limits.increment > 0
    unit = np.where(stepped, limits.increment, 1.0)
    low, high = limits.minimum / unit, np.minimum(limits.maximum, budget) / unit
    slack = PROFIT_TOLERANCE * np.maximum(1, high)
    low = np.where(stepped, np.ceil(low - slack), low)
    high = np.where(stepped, np.floor(high + slack), high)
    closed = low > high  # the minimum stake exceeds the maximum
    low, high = np.where(closed, 0, low), np.where(closed, 0, high)
    kinds = np.where(stepped, SEMI_INTEGER, np.where(low > 0, SEMI_CONTINUOUS, CONTINUOUS))
    kinds = np.where(high > 0, kinds, CONTINUOUS)
    return unit, list(zip(low.tolist(), high.tolist(), strict=True)), kinds.astype(np.int64)


def _to_best_stakes(
    count: Array, unit: Array, kinds: NDArray[np.int64], profit: Array, placed_profit: Array, budget: float
) -> BestStakes:
    """The solver's answer in currency: whole increments, nothing negative, its profit recomputed."""
    whole = kinds == SEMI_INTEGER
    stake = np.maximum(np.where(whole, np.round(count), count), 0.0) * unit
    idle, guaranteed = float(placed_profit.min()), float((placed_profit + profit @ stake).min())
    if guaranteed <= idle + PROFIT_TOLERANCE * budget:
        return BestStakes(np.zeros_like(stake), idle)
    return BestStakes(stake, guaranteed)
