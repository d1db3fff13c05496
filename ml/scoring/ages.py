"""How old a book's word is, in steps: so that time has an effect only when a step is passed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ml.market.weights import FRESH_AGES, FRESH_SHARES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ml.quotes import Micros
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]

SECOND = 1_000_000
STALE = 4
"""Added to the step of what is too old to be believed."""


def age_steps(book_time: NDArray[np.int64], now: Micros, rules: ScoringRules) -> NDArray[np.int8]:
    """How many of `FRESH_AGES` each confirmation has passed, plus `STALE`; an unknown time has passed all."""
    steps = (book_time < now - int(rules.stale_after_seconds * SECOND)).view(np.int8) * np.int8(STALE)
    for age in FRESH_AGES:
        steps += (book_time < now - int(age * SECOND)).view(np.int8)  # viewed, not cast: five times as fast
    return steps


def young_steps(steps: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which are young enough to be believed."""
    return steps < STALE


def step_shares(steps: NDArray[np.intp]) -> Array:
    """The share of its weight that a book keeps (`ml.market.freshness`)."""
    return SHARES.take(steps)


def age_variance(steps: NDArray[np.intp], rules: ScoringRules) -> Array:
    """What the market may have drifted since, a variance in log-odds: that of the oldest age of the step."""
    return _variances(rules.volatility, rules.stale_after_seconds).take(steps)


@cache
def _variances(volatility: float, stale_after_seconds: float) -> Array:
    oldest = (*FRESH_AGES, max(stale_after_seconds, *FRESH_AGES))
    return volatility**2 * _of_step(oldest)


def _of_step(values: tuple[Any, ...]) -> Array:
    """A value for every step, stale or not."""
    table = np.zeros(STALE + len(values))
    table[: len(values)] = table[STALE:] = values
    return table


SHARES = _of_step(FRESH_SHARES)
