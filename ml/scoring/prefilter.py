"""Which lines may have an alert: most cannot, and need no consensus."""

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
"""What the largest and the smallest of no book are: a sport is listed before any book prices it."""
PROBABILITY_TOLERANCE = 1e-9
"""Of probabilities: so that a line on the threshold is valued."""


def can_alert(price: Array, fair_log_odds: Array, min_edge: float) -> Mask:
    """The lines (L,) on which a price may have an edge of `min_edge`, or which may be an arbitrage; others never do.

    `price` and `fair_log_odds` (n, L, B) as in `LineMatrix`. Whatever the books weigh and however old they are, the
    consensus lies between their opinions: no price is worth more than the best one at the highest opinion. Commission
    makes every price worse. Says nothing of lines for which books at other points speak.
    """
    implied: Array = 1 / np.fmax.reduce(books_axis_first(price), initial=NO_PRICE)
    tempting: Mask = _max_consensus(fair_log_odds) - implied >= min_edge - PROBABILITY_TOLERANCE
    cheap: Mask = booksum(implied) < 1 + PROBABILITY_TOLERANCE
    any_of: Mask = np.logical_or.reduce([cheap, *tempting])
    return any_of


def _max_consensus(fair_log_odds: Array) -> Array:
    """The most (n, L) that the consensus can be."""
    own = books_axis_first(independent_outcomes(fair_log_odds))
    highest: Array = np.fmax.reduce(own, initial=NO_PRICE)
    lowest: Array = np.fmin.reduce(own, initial=NO_PRICE)
    if len(highest) < len(fair_log_odds):
        return expit(np.concatenate([highest, -lowest]))
    least: Array = expit(lowest)
    return expit(highest) / booksum(least)


def has_other_points(matrix: LineMatrix, rows: NDArray[np.intp], markets: Iterable[int]) -> Mask:
    """Which of `rows`, whole ladders, share theirs with another line, and are of one of the `markets`."""
    several = np.bincount(matrix.event_market[rows])[matrix.event_market[rows]] > 1
    return several & np.isin(matrix.market[rows], list(markets))
