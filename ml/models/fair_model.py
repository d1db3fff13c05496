"""Models that correct the market's log-odds: ridge, XGBoost and their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from xgboost import Booster

    Array = NDArray[np.float64]
    Values = NDArray[np.float32]

MAX_DEVIATIONS = 5.0
"""A feature further from its mean counts as this far: one wild input must not price a line."""


class Corrector(Protocol):
    """Corrects the market's log-odds."""

    def correct(self, features: Values, log_odds: Array) -> Array:
        """What to add to the market's `log_odds` (N, n), given `features` (N, n, F)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """A linear correction by outcome: `mean`, `scale`, `coefficient` (n, F) and `intercept` (n,).

    A missing feature counts as its mean.
    """

    mean: Array
    scale: Array
    coefficient: Array
    intercept: Array

    def standardise(self, features: Values) -> Array:
        """Features (N, n, F) in deviations from their mean, 0 where missing."""
        deviations: Array = ((features - self.mean) / self.scale).clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        return np.where(np.isnan(deviations), 0.0, deviations)

    def correct(self, features: Values, log_odds: Array) -> Array:  # noqa: ARG002 - the protocol's
        """The correction (N, n)."""
        # not `@`: BLAS sums in an order that depends on the number of rows
        correction: Array = (self.standardise(features) * self.coefficient).sum(axis=-1) + self.intercept
        return correction


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """Gradient-boosted trees, trained with `base_score=0.5` on the market's log-odds as `base_margin`.

    The trees alone, without a margin, are then exactly the correction.
    """

    booster: Booster

    def correct(self, features: Values, log_odds: Array) -> Array:
        """The correction (N, n)."""
        rows = np.ascontiguousarray(features.reshape(-1, features.shape[-1]))
        return self.booster.inplace_predict(rows, predict_type="margin").reshape(log_odds.shape).astype(np.float64)


class Platt(NamedTuple):
    """Platt's calibration (1999): log-odds times `slope` plus `intercept`, one outcome against all others."""

    intercept: float
    slope: float

    def apply(self, probability: Array) -> Array:
        """The calibrated probabilities (N, n), which sum to one."""
        return renormalise(expit(self.intercept + self.slope * logit(probability)))


@dataclass(frozen=True, slots=True, eq=False)
class FairModel:
    """The mean, in log-odds, of the corrected market under each of the `members` by name, calibrated if that helps."""

    members: dict[str, Corrector]
    calibration: Platt | None = None

    def predict(self, features: Values, market: Array) -> Array:
        """Probabilities (N, n) that sum to one, from `features` (N, n, F) and the `market`'s fair ones (N, n)."""
        mean = mean_log_odds([self.predict_member(name, features, market) for name in self.members])
        return mean if self.calibration is None else self.calibration.apply(mean)

    def predict_member(self, name: str, features: Values, market: Array) -> Array:
        """The probabilities of one member."""
        log_odds = logit(market)
        return renormalise(expit(log_odds + self.members[name].correct(features, log_odds)))


def mean_log_odds(estimates: Sequence[Array]) -> Array:
    """The logarithmic opinion pool with equal weights of `estimates` (N, n), one outcome against all others."""
    if len(estimates) == 1:
        return estimates[0]
    pooled: Array = expit(np.stack([logit(estimate) for estimate in estimates]).mean(axis=0))
    return renormalise(pooled)


def renormalise(probability: Array) -> Array:
    """Probabilities (N, n) scaled to sum to one."""
    scaled: Array = probability / probability.sum(axis=-1, keepdims=True)
    return scaled
