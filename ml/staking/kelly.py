"""How much to stake."""

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
    return np.clip((probability * price - 1.0) / odds, 0.0, cap)
