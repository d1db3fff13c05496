"""Prices to test with, drawn by hypothesis: real books, and what else a feed may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NAN = float("nan")


@st.composite
def book_markets(draw: st.DrawFn, low: float = 1.0, high: float = 1.3, outcomes: int | None = None) -> Array:
    """Prices (m, n) of 1-6 markets whose booksum lies between `low` and `high`, every price above 1."""
    n = outcomes or draw(st.integers(2, 5))
    m = draw(st.integers(1, 6))
    strength = draw(hnp.arrays(np.float64, (m, n), elements=st.floats(0.02, 1)))
    total = draw(hnp.arrays(np.float64, (m, 1), elements=st.floats(low, high)))
    implied: Array = np.minimum(strength / strength.sum(axis=1, keepdims=True) * total, 0.99)
    return 1 / implied


odd_prices = st.one_of(st.floats(1.01, 50), st.sampled_from([NAN, 1.0, 0.5, 0.0, -2.0, np.inf, 1e6, 1 + 1e-12, 1.0001]))


@st.composite
def feeds(draw: st.DrawFn) -> tuple[Array, Array]:
    """Prices (L, B, n) as wild as a feed may send them, and weights (L, B)."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(2, 3)))
    weight = st.sampled_from([0.0, 0.3, 1.0, 2.5])
    return draw(hnp.arrays(np.float64, shape, elements=odd_prices)), draw(
        hnp.arrays(np.float64, shape[:2], elements=weight)
    )
