"""A feature of an event from the view of an outcome: what speaks for the home side speaks against the away side."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ml.quotes import MARKET_OUTCOMES, Market, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AGAINST = frozenset({Outcome.AWAY, Outcome.UNDER})


class Axis(Enum):
    """What a feature of an event is larger for."""

    SUPREMACY = "the home side is better than the away side"
    TOTAL = "more is scored"
    NEITHER = "neither"


def orient(values: Array, axis: Axis, market: Market) -> Array:
    """`values` (E,) by outcome (E, n): negated for the outcome that it speaks against; the draw has the home side's."""
    measured = Axis.TOTAL if market is Market.TOTALS else Axis.SUPREMACY
    sides = [-1.0 if axis is measured and outcome in AGAINST else 1.0 for outcome in MARKET_OUTCOMES[market]]
    oriented: Array = values[:, None] * np.array(sides)
    return oriented
