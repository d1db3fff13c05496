"""How old a book's word is, in steps: so that time has an effect only when a step is passed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ml.market.weights import FRESHNESS_AGES_SECONDS, FRESHNESS_WEIGHTS

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ml.quotes import Micros
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]

MICROS_PER_SECOND = 1_000_000
STALE_BUCKET = 4
"""Added to the step of what is too old to be believed."""


def staleness_buckets(confirmed_at: NDArray[np.int64], now: Micros, rules: ScoringRules) -> NDArray[np.int8]:
    """How many of `FRESHNESS_AGES_SECONDS` each confirmation has passed, plus `STALE_BUCKET`; an unknown time has
    passed all.
    """
    buckets = (confirmed_at < now - int(rules.stale_after_seconds * MICROS_PER_SECOND)).view(np.int8) * np.int8(
        STALE_BUCKET
    )
    for age in FRESHNESS_AGES_SECONDS:
        buckets += (confirmed_at < now - int(age * MICROS_PER_SECOND)).view(
            np.int8
        )  # viewed, not cast: five times as fast
    return buckets


def is_fresh(buckets: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which are young enough to be believed."""
    return buckets < STALE_BUCKET


def bucket_weights(buckets: NDArray[np.intp]) -> Array:
    """The share of its weight that a book keeps (`ml.market.freshness`)."""
    return WEIGHT_BY_BUCKET.take(buckets)


def staleness_variance(buckets: NDArray[np.intp], rules: ScoringRules) -> Array:
    """What the market may have drifted since, a variance in log-odds: that of the oldest age of the step."""
    return _variance_by_bucket(rules.volatility, rules.stale_after_seconds).take(buckets)


@cache
def _variance_by_bucket(volatility: float, stale_after_seconds: float) -> Array:
    oldest = (*FRESHNESS_AGES_SECONDS, max(stale_after_seconds, *FRESHNESS_AGES_SECONDS))
    return volatility**2 * _by_bucket(oldest)


def _by_bucket(values: tuple[Any, ...]) -> Array:
    """A value for every step, stale or not."""
    table = np.zeros(STALE_BUCKET + len(values))
    table[: len(values)] = table[STALE_BUCKET:] = values
    return table


WEIGHT_BY_BUCKET = _by_bucket(FRESHNESS_WEIGHTS)
