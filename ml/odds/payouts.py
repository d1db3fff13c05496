"""Payouts and bookable stakes: amounts in whole units of currency, rounded as books round them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

CENT = 0.01
STEP_TOLERANCE = 1e-6
"""In steps. In floats 100 x 1.15 is 114.99999999999999. Odds have few digits, so an amount that is truly below a step
is so by much more: a stake in cents at American odds a by 1 / |a| of a cent. Up to ten million, float errors are
smaller."""


def payout(stake: ArrayLike, price: ArrayLike, unit: float = CENT) -> Array:
    """The payout of a won bet, stake included: stake x decimal `price`, rounded down to the `unit`.

    Arguments broadcast; NaN where one is. For stakes in whole units the profit is rounded down too. Raises `ValueError`
    for a negative stake, a price that does not exceed 1, or a unit that is not positive.
    """
    amount, odds = np.asarray(stake, np.float64), np.asarray(price, np.float64)
    _require(unit > 0, f"unit must be positive, got {unit:g}")
    _require(not (amount < 0).any(), "stake must not be negative")
    _require(not (odds <= 1).any(), "decimal odds must exceed 1")
    return _floor_to_step(amount * odds, unit)


def bookable_stake(stake: ArrayLike, increment: float = CENT, minimum: float = 0.0, maximum: float = np.inf) -> Array:
    """The largest stake up to `stake` (...) that a book accepts: 0 where it accepts none.

    Books accept multiples of the `increment`, from `minimum` to `maximum`; amounts in units of currency. Raises
    `ValueError` for a negative stake, an increment that is not positive, or a minimum that is negative or exceeds the
    maximum.
    """
    amount = np.asarray(stake, np.float64)
    _require(increment > 0, f"increment must be positive, got {increment:g}")
    _require(not (amount < 0).any(), "stake must not be negative")
    _require(0 <= minimum <= maximum, f"minimum stake {minimum:g} is negative or exceeds the maximum {maximum:g}")
    rounded = _floor_to_step(np.minimum(amount, maximum), increment)
    return np.where(rounded < minimum, 0.0, rounded)


def _floor_to_step(amount: Array, step: float) -> Array:
    """The largest multiple of `step` that does not exceed `amount`; for steps like .01 the nearest float."""
    steps: Array = np.floor(amount / step + STEP_TOLERANCE)
    per_unit = round(1 / step)
    # 29 / 100 is the float .29, 29 x .01 is not
    return steps / per_unit if per_unit and np.isclose(per_unit * step, 1, rtol=1e-12, atol=0) else steps * step


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
