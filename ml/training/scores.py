"""Paired scores of a model against the market, with intervals that respect that matches of a day belong together."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from ml.arrays import complete_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CONFIDENCE = 0.95
MAX_NEWTON_STEPS = 25
NEWTON_TOLERANCE = 1e-10
TINY = 1e-300


class Interval(NamedTuple):
    """A mean with its confidence interval; NaN without observations."""

    mean: float
    low: float
    high: float

    def as_json(self) -> list[float | None]:
        """Mean, lower and upper bound; null where unknown."""
        return [None if np.isnan(value) else float(value) for value in self]

    def scale(self, factor: float) -> Interval:
        """In other units, by a positive `factor`."""
        return Interval(*(value * factor for value in self))


def clustered_mean(values: Array, cluster: NDArray[Any], confidence: float = CONFIDENCE) -> Interval:
    """The mean of `values` (M,), NaN left out, with an interval clustered by `cluster` (M,).

    The sandwich estimator of a mean with G clusters (Liang & Zeger 1986): s^2 = G / (G - 1) x sum over clusters of
    (sum of residuals)^2 / M^2. NaN bounds with fewer than two clusters.
    """
    known = ~np.isnan(values)
    values, cluster = values[known], cluster[known]
    if not values.size:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    _, number = np.unique(cluster, return_inverse=True)
    totals = np.bincount(number, values - mean)
    if len(totals) < 2:  # noqa: PLR2004
        return Interval(mean, np.nan, np.nan)
    error = sqrt(len(totals) / (len(totals) - 1) * float((totals**2).sum())) / len(values)
    half = float(norm.ppf((1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half)


def log_losses(probability: Array, won: Array, at_risk: Array) -> Array:
    """The log loss (N,) of `probability` (N, n) where `won` (N, n) is one outcome; NaN where nothing is won or lost.

    Weighted by the share of the stake `at_risk` (N,): so it is a proper score of the chance that a decided stake wins,
    which is what prices of quarter points state.
    """
    loss: Array = -(np.log(np.maximum(probability, TINY)) * won).sum(axis=1)
    return np.where(at_risk > 0, loss * at_risk, np.nan)


def closing_errors(probability: Array, close: Array) -> Array:
    """The Kullback-Leibler distance (N,) of `probability` (N, n) from the fair `close` (N, n), in nats; NaN without."""
    distance: Array = (close * np.log(close / probability)).sum(axis=1)
    return distance


class Calibration(NamedTuple):
    """Logistic regression of results on log-odds: slope 1 and intercept 0 are perfect; with standard errors."""

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float


def calibrate(probability: Array, won: Array, cluster: NDArray[Any]) -> Calibration:
    """The calibration of `probability` (N, n), every outcome a row, errors clustered by `cluster` (N,).

    Cox 1958, by Newton's method; NaN where too few results are known or all are alike.
    """
    known = complete_rows(won)
    y = won[known].ravel()
    x = np.stack([np.ones_like(y), logit(probability[known]).ravel()], axis=1)
    if not y.any() or y.all():
        return Calibration(*[np.nan] * 4)
    beta = np.array([0.0, 1.0])
    for _ in range(MAX_NEWTON_STEPS):
        fitted = expit(x @ beta)
        information = x.T @ (x * (fitted * (1 - fitted))[:, None])
        step = np.linalg.solve(information, x.T @ (y - fitted))
        beta += step
        if np.abs(step).max() < NEWTON_TOLERANCE:
            break
    scores = x * (y - expit(x @ beta))[:, None]
    groups = np.unique(np.repeat(cluster[known], won.shape[1]), return_inverse=True)[1]
    sums = np.stack([np.bincount(groups, column) for column in scores.T], axis=1)
    bread = np.linalg.inv(information)
    errors = np.sqrt(np.diag(bread @ sums.T @ sums @ bread))
    return Calibration(float(beta[1]), float(beta[0]), float(errors[1]), float(errors[0]))
