"""How much to stake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def kelly_fraction(
    probability: NDArray[np.float64], price: NDArray[np.float64], cap: float = 1.0
) -> NDArray[np.float64]:
    """Share of the bankroll that maximises expected log growth (Kelly 1956): (p x price - 1) / (price - 1).

    Never below 0, never above `cap`; NaN where an argument is. `price` is decimal and exceeds 1.
    """
    return np.clip((probability * price - 1.0) / (price - 1.0), 0.0, cap)
