"""Kelly stakes of single bets.

Stakes are shares of the bankroll, prices decimal, probabilities and their errors between 0 and 1. Arguments
broadcast. NaN where an argument is, and where the price does not exceed 1: there is nothing to win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def kelly_fraction(probability: Array, price: Array, cap: float = 1.0) -> Array:
    """Share of the bankroll that maximises expected log growth (Kelly 1956): (p x price - 1) / (price - 1).

    Arguments broadcast; `price` is decimal. Never below 0, never above `cap`; NaN where an argument is, and
    where the price does not exceed 1: there is nothing to win.
    """
    odds = np.where(price > 1, price - 1.0, np.nan)
    return np.minimum(np.maximum((probability * price - 1.0) / odds, 0.0), cap)


def kelly_with_push(win: Array, push: Array, price: Array, cap: float = 1.0) -> Array:
    """Kelly where the stake comes back with probability `push`: Kelly of win / (1 - push).

    A returned stake adds log 1 = 0 to the growth, so only the ratio of winning to losing matters: (b x win - loss) / (b
    (win + loss)) with b = price - 1. NaN where a push is certain.
    """
    return kelly_fraction(given_no_push(win, push), price, cap)


def given_no_push(chance: Array, push: Array) -> Array:
    """`chance`, or its standard error, given that the bet is not a push; NaN where a push is certain."""
    return chance / np.where(push < 1, 1.0 - push, np.nan)


def shrinkage(stake: Array, price: Array, standard_error: Array) -> Array:
    """Share of the Kelly `stake` to keep when the probability has standard error `standard_error`.

    k = s^2 / (s^2 + ((b + 1) / b)^2 sigma^2), sigma = `standard_error`, b = price - 1 (Baker & McHale 2013, Decision
    Analysis 10:189, equation 7): an error of the probability becomes an error of the stake (b + 1) / b times as large,
    and overstaking costs more than understaking. With a push, pass both `given_no_push`. k is defined for the true
    edge. Computed from each bet's own estimate it helps with bets selected by their estimated edge, and hurts where the
    true edge is known to exceed about 1.2 of its standard errors: there, pass the stake of the typical edge instead. 0
    without a stake, 1 without an error.
    """
    odds = np.where(price > 1, price - 1.0, np.nan)
    error = (odds + 1.0) / odds * standard_error
    total = stake**2 + error**2
    return np.divide(stake**2, total, out=np.zeros_like(total), where=total != 0)
