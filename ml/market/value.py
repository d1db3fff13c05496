"""What a price is worth against a fair probability, and how far to trust that. Arguments broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BOOKS_SCALE = 4.0
AGE_SCALE_SECONDS = 300.0
METHOD_SPREAD_SCALE = 0.02
DISPERSION_SCALE = 0.15


def edge(fair: Array, price: Array) -> Array:
    """Fair probability minus the probability that the decimal price implies: p - 1 / price."""
    return fair - 1.0 / price


def expected_value(fair: Array, price: Array) -> Array:
    """Expected profit of a stake of one: p x price - 1."""
    return fair * price - 1.0


def confidence(books: NDArray[Any], age_seconds: Array, method_spread: Array, dispersion: Array) -> Array:
    """A score from 0 to 100: how firm the ground is under an estimate.

    100 x the geometric mean of four terms, each 1 at best and 1/2 at its scale: b / (b + 4) for b books, and
    1 / (1 + x / scale) for the price's age (300 s; below 0 counts as 0), the spread between de-vig methods
    (2 points of probability) and the dispersion of the books' log-odds (.15). One hopeless term sinks the
    score; no good one makes up for it. The scales are conventions, not fits; NaN where an argument is.
    """
    crowd = books / (books + BOOKS_SCALE)
    young = 1 / (1 + np.maximum(age_seconds, 0) / AGE_SCALE_SECONDS)
    robust = 1 / (1 + method_spread / METHOD_SPREAD_SCALE)
    agreed = 1 / (1 + dispersion / DISPERSION_SCALE)
    score: Array = 100 * np.sqrt(np.sqrt(crowd * young * robust * agreed))
    return score
