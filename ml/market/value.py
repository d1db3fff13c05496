"""What a price is worth against a fair probability, and how far to trust that. Arguments broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BOOKS_HALF = 4.0
AGE_HALF_SECONDS = 300.0
SPREAD_HALF = 0.02
DISPERSION_HALF = 0.15


def edge(fair: Array, price: Array) -> Array:
    """Fair probability minus the probability that the price implies."""
    return fair - 1.0 / price


def expected_value(fair: Array, price: Array) -> Array:
    """Expected profit of a stake of one: fair x price - 1."""
    return fair * price - 1.0


def confidence(books: NDArray[np.int64], age_seconds: Array, method_spread: Array, dispersion: Array) -> Array:
    """A score from 0 to 100: how firm the ground is under an estimate.

    The geometric mean of four terms in (0, 1): b / (b + 4) for b books, and 1 / (1 + x / h) for the price's age
    (h = 300 s), the spread between de-vig methods (h = 2 points) and the dispersion of the books' log-odds
    (h = .15). The halves are the values at which a term alone would halve the trust; they are conventions,
    not fits.
    """
    crowd = books / (books + BOOKS_HALF)
    young = 1 / (1 + np.maximum(age_seconds, 0) / AGE_HALF_SECONDS)
    robust = 1 / (1 + method_spread / SPREAD_HALF)
    agreed = 1 / (1 + dispersion / DISPERSION_HALF)
    score: Array = 100 * (crowd * young * robust * agreed) ** 0.25
    return score
