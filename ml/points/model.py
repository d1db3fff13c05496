"""The prior distribution of a sport's margin or total."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ml.points.families import PMF_BY_FAMILY, DistributionFamily, to_coordinates
from ml.points.settlement import WinPushLoss, win_push_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointModel:
    """A sport's margin or total before the books' prices are used.

    The support is `low` to `high`; `typical_parameters` are the family's two parameters for a typical event, of which a
    fit falls back on the second (the spread) where the books do not determine it. `key_weights` multiplies the
    probability of single numbers before normalisation: above 1 for the key numbers of American football (3, 7, 6, 10
    and their negatives), {0: 0.0} where ties are impossible.

    Raises `ValueError` for numbers in the wrong order, a negative weight, or a spread that is not positive.
    """

    family: DistributionFamily
    low: int
    high: int
    typical_parameters: tuple[float, float]
    key_weights: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.low >= self.high or self.typical_parameters[1] <= 0 or any(w < 0 for w in self.key_weights.values()):
            msg = f"invalid point model: {self}"
            raise ValueError(msg)

    @property
    def support(self) -> Array:
        """The possible numbers (K,)."""
        return np.arange(self.low, self.high + 1, dtype=np.float64)

    def pmf_with_gradient(self, coordinates: Array) -> Array:
        """Probabilities of the numbers and their derivatives by the two coordinates (3, L, K), of (L, 2)."""
        raw = PMF_BY_FAMILY[self.family](coordinates, self.support) * self._support_weights()
        total = raw.cumsum(axis=-1)[..., -1:]
        p = raw[0] / total[0]
        return np.stack([p, *((d - p * t) / total[0] for d, t in zip(raw[1:], total[1:], strict=True))])

    def pmf(self, parameters: Array) -> Array:
        """Probabilities of the numbers (L, K) under the family's `parameters` (L, 2)."""
        pmf: Array = self.pmf_with_gradient(to_coordinates(self.family, parameters))[0]
        return pmf

    def win_push_loss(self, parameters: Array, thresholds: Array) -> WinPushLoss:
        """Win, push and loss of exceeding `thresholds` (L, B) under `parameters` (L, 2)."""
        return win_push_loss(self.pmf(parameters), self.low, thresholds)

    def _support_weights(self) -> Array:
        weights = np.ones(self.high - self.low + 1)
        for number, weight in self.key_weights.items():
            if self.low <= number <= self.high:
                weights[number - self.low] = weight
        return weights
