"""Families of distributions of a margin or a total, as probabilities of whole numbers with their derivatives.

Each takes coordinates (L, 2), free of bounds, and whole numbers (K,) one apart, and returns (3, L, K): the
probability of each number, and its derivative by the first and by the second coordinate.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

# SciPy ships no types; where its stubs are installed, nothing is ignored
from scipy.special import gammaln, ive, ndtr, psi  # type: ignore[import-untyped,unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MIN_MEAN_POINTS = 0.25
"""Lower bound of a mean, so that it has a logarithm."""


class DistributionFamily(StrEnum):
    """A family of distributions of a margin or a total, with two parameters."""

    NORMAL = "normal"
    """A normal variable rounded to whole points (Stern 1991): mean, standard deviation."""
    SKELLAM = "skellam"
    """The difference of two Poisson scores (Karlis & Ntzoufras 2009): mean scores of home and away."""
    NEGATIVE_BINOMIAL = "negative_binomial"
    """A total more dispersed than Poisson's: mean m, size r; the variance is m + m^2 / r."""


def normal_pmf(coordinates: Array, support: Array) -> Array:
    """Coordinates: mean, log standard deviation. P(k) = Phi(k + 1/2) - Phi(k - 1/2), standardised."""
    mean, deviation = coordinates[:, :1], np.exp(coordinates[:, 1:])
    edges = (np.append(support, support[-1] + 1) - 0.5 - mean) / deviation
    lower, upper = edges[:, :-1], edges[:, 1:]
    # above the mean use the upper tail, which keeps its digits where 1 - p would not
    pmf = np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    density = np.exp(-edges * edges / 2) / np.sqrt(2 * np.pi)
    return np.stack([pmf, -np.diff(density) / deviation, -np.diff(edges * density)])


def skellam_pmf(coordinates: Array, support: Array) -> Array:
    """Coordinates: half the log ratio of the two means, log of their geometric mean.

    P(k) = exp(-a - b) (a / b)^(k / 2) I_k(2 sqrt(a b)); dP/da = P(k - 1) - P(k), dP/db = P(k + 1) - P(k).
    """
    lean, size = coordinates[:, :1], coordinates[:, 1:]
    home, away = np.exp(size + lean), np.exp(size - lean)
    wider = np.concatenate([support[:1] - 1, support, support[-1:] + 1])
    bessel = ive(np.arange(np.abs(wider).max() + 1), 2 * np.exp(size))
    p = np.exp(lean * wider - (np.sqrt(home) - np.sqrt(away)) ** 2) * bessel[:, np.abs(wider).astype(np.intp)]
    by_home, by_away = home * (p[:, :-2] - p[:, 1:-1]), away * (p[:, 2:] - p[:, 1:-1])
    return np.stack([p[:, 1:-1], by_home - by_away, by_home + by_away])


def negative_binomial_pmf(coordinates: Array, support: Array) -> Array:
    """Coordinates: log mean m, log size r. P(k) = G(k + r) / (G(r) k!) (r / (r + m))^r (m / (r + m))^k."""
    mean, size = np.exp(coordinates[:, :1]), np.exp(coordinates[:, 1:])
    k = np.maximum(support, 0)
    both = size + mean
    logs = gammaln(k + size) - gammaln(size) - gammaln(k + 1) + size * np.log(size / both) + k * np.log(mean / both)
    p = np.where(support < 0, 0.0, np.exp(logs))
    by_size = psi(k + size) - psi(size) + np.log(size / both) + (mean - k) / both
    return np.stack([p, p * (k - mean) * size / both, p * size * by_size])


PMF_BY_FAMILY: dict[DistributionFamily, Callable[[Array, Array], Array]] = {
    DistributionFamily.NORMAL: normal_pmf,
    DistributionFamily.SKELLAM: skellam_pmf,
    DistributionFamily.NEGATIVE_BINOMIAL: negative_binomial_pmf,
}


def to_coordinates(family: DistributionFamily, parameters: Array) -> Array:
    """The coordinates of `parameters` (L, 2)."""
    first, second = parameters[:, 0], parameters[:, 1]
    if family is DistributionFamily.NORMAL:
        return np.stack([first, np.log(second)], axis=1)
    logs = np.log(parameters)
    if family is DistributionFamily.SKELLAM:
        return np.stack([logs[:, 0] - logs[:, 1], logs[:, 0] + logs[:, 1]], axis=1) / 2
    return logs


def to_parameters(family: DistributionFamily, coordinates: Array) -> Array:
    """The parameters of `coordinates` (L, 2)."""
    first, second = coordinates[:, 0], coordinates[:, 1]
    if family is DistributionFamily.NORMAL:
        return np.stack([first, np.exp(second)], axis=1)
    if family is DistributionFamily.SKELLAM:
        return np.exp(np.stack([second + first, second - first], axis=1))
    return np.exp(coordinates)


def coordinates_around(family: DistributionFamily, middle: Array, shape: float) -> Array:
    """Coordinates (L, 2) of distributions about `middle` (L,), with the second coordinate given."""
    if family is DistributionFamily.NORMAL:
        first = middle
    elif family is DistributionFamily.SKELLAM:
        first = np.arcsinh(middle / 2 * np.exp(-shape))
    else:
        first = np.log(np.maximum(middle, MIN_MEAN_POINTS))
    return np.stack([first, np.full_like(first, shape)], axis=1)
