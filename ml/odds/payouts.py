"""What a bet pays and what stakes a book takes: amounts in whole units of currency, rounded as books round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

CENT = 0.01
STEP_TOLERANCE = 1e-6
"""In steps. In floats 100 x 1.15 is 114.99999999999999. Odds have few digits, so an amount that is really below a step
is so by far more: a stake in cents at American odds a by 1 / |a| of a cent. Floats err by less up to ten million."""


def payout(stake: ArrayLike, price: ArrayLike, unit: float = CENT) -> Array:
    """What a won bet returns, the stake included: stake x decimal `price`, rounded down to the `unit`.

    Arguments broadcast; NaN where one is. For stakes in whole units the profit, too, is rounded down. Raises
    `ValueError` for a negative stake, a price that does not exceed 1, or a unit that is not positive.
    """
    amount, odds = np.asarray(stake, np.float64), np.asarray(price, np.float64)
    _require(unit > 0, f"a unit is positive, not {unit:g}")
    _require(not (amount < 0).any(), "a stake is zero or positive")
    _require(not (odds <= 1).any(), "decimal odds exceed 1")
    return _floor_to_step(amount * odds, unit)


def bookable_stake(stake: ArrayLike, increment: float = CENT, minimum: float = 0.0, maximum: float = np.inf) -> Array:
    """The largest stake that a book takes up to `stake` (...): 0 where it takes none.

    Books take multiples of the `increment`, from `minimum` to `maximum`; amounts in units of currency. Raises
    `ValueError` for a negative stake, an increment that is not positive, or limits that leave nothing.
    """
    amount = np.asarray(stake, np.float64)
    _require(increment > 0, f"an increment is positive, not {increment:g}")
    _require(not (amount < 0).any(), "a stake is zero or positive")
    _require(0 <= minimum <= maximum, f"stakes from {minimum:g} to {maximum:g} leave nothing")
    rounded = _floor_to_step(np.minimum(amount, maximum), increment)
    return np.where(rounded < minimum, 0.0, rounded)


def _floor_to_step(amount: Array, step: float) -> Array:
    """The largest multiple of the step that is not above; for steps like .01 the float nearest to it."""
    steps: Array = np.floor(amount / step + STEP_TOLERANCE)
    per_unit = round(1 / step)
    # 29 / 100 is the float .29, 29 x .01 is not
    return steps / per_unit if per_unit and np.isclose(per_unit * step, 1, rtol=1e-12, atol=0) else steps * step


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
