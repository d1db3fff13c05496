"""Which lines may have an alert; most cannot, and for those the consensus is not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ml.market.methods import booksum
from ml.market.pooling import books_axis_first, independent_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ml.scoring.matrix import LineMatrix

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

NO_PRICE = np.nan
"""The highest and the lowest price of no books: a sport is listed before any book prices it."""
PROBABILITY_TOLERANCE = 1e-9
"""So that rounding does not exclude a line exactly at the threshold."""


def can_alert(price: Array, fair_log_odds: Array, min_edge: float) -> Mask:
    """Which lines (L,) may have a price with an edge of `min_edge`, or an arbitrage; the others cannot.

    `price` and `fair_log_odds` (n, L, B) as in `LineMatrix`. With any weights and ages the consensus lies within the
    range of the books' fair probabilities, so the best price at the highest of them bounds the edge; commission only
    lowers it. Does not hold for lines that books at other points contribute to (`has_other_points`).
    """
    implied: Array = 1 / np.fmax.reduce(books_axis_first(price), initial=NO_PRICE)
    tempting: Mask = _max_consensus(fair_log_odds) - implied >= min_edge - PROBABILITY_TOLERANCE
    cheap: Mask = booksum(implied) < 1 + PROBABILITY_TOLERANCE
    any_of: Mask = np.logical_or.reduce([cheap, *tempting])
    return any_of


def _max_consensus(fair_log_odds: Array) -> Array:
    """An upper bound (n, L) of the consensus probability."""
    own = books_axis_first(independent_outcomes(fair_log_odds))
    highest: Array = np.fmax.reduce(own, initial=NO_PRICE)
    lowest: Array = np.fmin.reduce(own, initial=NO_PRICE)
    if len(highest) < len(fair_log_odds):
        return expit(np.concatenate([highest, -lowest]))
    least: Array = expit(lowest)
    return expit(highest) / booksum(least)


def has_other_points(matrix: LineMatrix, rows: NDArray[np.intp], markets: Iterable[int]) -> Mask:
    """Which of `rows` (whole ladders) share their ladder with another line and belong to one of `markets`."""
    several = np.bincount(matrix.ladder[rows])[matrix.ladder[rows]] > 1
    return several & np.isin(matrix.market[rows], list(markets))
