"""Offers to test with: prices near an arbitrage, and the limits of books."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@st.composite
def lines(draw: st.DrawFn, books: int = 4) -> Array:
    """Prices (1, B, n) whose books each ask between 92% and 108%: about every second line is an arbitrage."""
    n = draw(st.integers(2, 4))
    b = draw(st.integers(1, books))
    strength = draw(hnp.arrays(np.float64, (1, 1, n), elements=st.floats(0.2, 1)))
    booksum = draw(hnp.arrays(np.float64, (1, b, n), elements=st.floats(0.92, 1.08)))
    implied = strength / strength.sum(axis=2, keepdims=True) * booksum
    return np.asarray(np.maximum(1 / implied, 1.01))


def profits(prices: Array) -> Array:
    """Profit per unit (n, K) of backing, at prices (B, n), each outcome at each book; K = B n, outcomes inner."""
    n = prices.shape[1]
    won = np.tile(np.eye(n), (1, len(prices))).astype(bool)
    return np.where(won, prices.reshape(1, -1) - 1, -1.0)
