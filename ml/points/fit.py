"""Fits the distribution of a margin or total to the books' fair probabilities at their different points.

Weighted least squares on log-odds: minimise sum of w (logit q - logit c(t))^2 + prior_strength (s - s0)^2, where q is a
book's fair probability at its threshold t, c the model's conditional one, s the log of the model's spread and s0 its
typical value. Solved by Gauss-Newton for all lines at once; a line drops out when it has converged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from ml.points.families import DistributionFamily, coordinates_around, to_coordinates, to_parameters
from ml.points.settlement import WinPushLoss, win_push_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.points.model import PointModel

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PRIOR_STRENGTH = 4.0
"""Weight of the typical spread: books at neighbouring points carry little information about the spread, and noise in
their prices distorts it. A convention; 0 uses the books alone."""
MAX_ITERATIONS = 50
STEP_TOLERANCE = 1e-10
MAX_STEP = 0.75
"""Largest step, in log units or typical deviations."""
LINE_BATCH_SIZE = 256
"""Lines fitted at once, so that their arrays stay in the CPU cache."""
MIN_DETERMINANT_RATIO = 1e-12
MIN_PROBABILITY = 1e-200
"""Lower bound of a tail's probability, which may underflow at an absurd point."""


class FitStatus(IntEnum):
    """Why a line has, or has not, a distribution."""

    OK = 0
    NO_BOOK = 1
    """No book has a threshold between the model's numbers, a fair probability in (0, 1) and a positive weight."""
    UNDETERMINED = 2
    """One point only and `prior_strength` 0: nothing determines the spread."""
    NOT_CONVERGED = 3


@dataclass(frozen=True, slots=True, eq=False)
class PointFit:
    """Distributions of L lines: `parameters` (L, 2) of the family, NaN where `status` (L,) is not OK.

    `rms_residual` (L,) is the weighted root mean square of the books' distances from the fit, in log-odds.
    """

    model: PointModel
    parameters: Array
    status: NDArray[np.int8]
    rms_residual: Array

    def win_push_loss(self, thresholds: Array) -> WinPushLoss:
        """Win, push and loss of exceeding `thresholds` (L, B)."""
        return self.model.win_push_loss(self.parameters, thresholds)

    def translate(self, thresholds: Array, fair: Array, target: Array) -> Array:
        """Translate each book's `fair` (L, B) at its own `thresholds` (L, B) to the `target` threshold (L,): (L, B).

        A book keeps its distance from the model in log-odds, so that its estimate is translated, not replaced.
        """
        pmf = self.model.pmf(self.parameters)
        here, there = (
            win_push_loss(pmf, self.model.low, at).win_given_decided() for at in (thresholds, target[:, None])
        )
        odds = fair / (1 - fair) * (1 / here - 1) * (there / (1 - there))
        return odds / (1 + odds)


def fit_points(
    model: PointModel, thresholds: Array, fair: Array, weights: Array, prior_strength: float = PRIOR_STRENGTH
) -> PointFit:
    """Fit `model` to the `fair` conditional probabilities (L, B) of exceeding `thresholds` (L, B).

    `weights` (L, B) >= 0; NaN in either of the others means no quote. A line's result does not depend on the others.
    Raises `ValueError` for weights or a `prior_strength` that are negative or NaN.
    """
    if not ((weights >= 0).all() and prior_strength >= 0):
        msg = "book weights and prior_strength must be non-negative"
        raise ValueError(msg)
    parts = [
        _fit(
            model,
            thresholds[at : at + LINE_BATCH_SIZE],
            fair[at : at + LINE_BATCH_SIZE],
            weights[at : at + LINE_BATCH_SIZE],
            prior_strength,
        )
        for at in range(0, max(1, len(fair)), LINE_BATCH_SIZE)
    ]
    parameters, status, error = map(np.concatenate, zip(*parts, strict=True))
    return PointFit(model, parameters, status, error)


def _fit(
    model: PointModel, thresholds: Array, fair: Array, weights: Array, prior_strength: float
) -> tuple[Array, NDArray[np.int8], Array]:
    used = (weights > 0) & (fair > 0) & (fair < 1) & (thresholds > model.low) & (thresholds < model.high)
    status = np.where(used.any(axis=1), FitStatus.OK, FitStatus.NO_BOOK).astype(np.int8)
    if prior_strength == 0:
        lowest = np.where(used, thresholds, np.inf).min(axis=1, initial=np.inf)
        apart = np.where(used, thresholds, -np.inf).max(axis=1, initial=-np.inf) > lowest
        status[~apart & (status == FitStatus.OK)] = FitStatus.UNDETERMINED
    rows = np.flatnonzero(status == FitStatus.OK)
    problem = _FitProblem.from_fair(
        model, thresholds[rows], fair[rows], np.where(used, weights, 0.0)[rows], prior_strength
    )
    coordinates, mean_square, converged = problem.solve()
    status[rows[~converged]] = FitStatus.NOT_CONVERGED
    parameters, error = np.full((len(status), 2), np.nan), np.full(len(status), np.nan)
    parameters[rows[converged]] = to_parameters(model.family, coordinates[converged])
    error[rows[converged]] = np.sqrt(mean_square[converged])
    return parameters, status, error


@dataclass(frozen=True, slots=True, eq=False)
class _FitProblem:
    """Lines that can be fitted; unused books have some finite threshold and log-odds, with weight 0."""

    model: PointModel
    thresholds: Array
    log_odds: Array
    weight: Array
    prior_strength: float

    @classmethod
    def from_fair(
        cls, model: PointModel, thresholds: Array, fair: Array, weight: Array, prior_strength: float
    ) -> _FitProblem:
        used = weight > 0
        thresholds = np.where(
            used, thresholds, _weighted_mean(np.where(used, thresholds, 0.0), weight)[:, None].round()
        )
        fair = np.where(used, fair, 0.5)
        return cls(model, thresholds, np.log(fair) - np.log1p(-fair), weight, prior_strength)

    def solve(self) -> tuple[Array, Array, Mask]:
        """Coordinates (L, 2), mean squared residuals (L,), and which lines have converged (L,)."""
        typical_shape = float(to_coordinates(self.model.family, np.array([self.model.typical_parameters]))[0, 1])
        x = coordinates_around(self.model.family, _weighted_mean(self.thresholds, self.weight), typical_shape)
        error, converged = np.full(len(x), np.nan), np.zeros(len(x), np.bool_)
        largest = MAX_STEP * np.array(
            [self.model.typical_parameters[1] if self.model.family is DistributionFamily.NORMAL else 1.0, 1.0]
        )
        active = np.arange(len(x))
        for _ in range(MAX_ITERATIONS):
            if not len(active):
                break
            step, error[active] = self._gauss_newton_step(x[active], active, typical_shape)
            step = np.clip(step, -largest, largest)
            x[active] += step
            done = (np.abs(step) <= STEP_TOLERANCE * largest).all(axis=1)
            converged[active[done]] = True
            active = active[~done]
        return x, error, converged

    def _gauss_newton_step(self, x: Array, rows: NDArray[np.intp], typical_shape: float) -> tuple[Array, Array]:
        """The Gauss-Newton step (l, 2) of the lines `rows`, and their mean squared residual at `x` (l,)."""
        weight = self.weight[rows]
        win, _, loss = win_push_loss(self.model.pmf_with_gradient(x), self.model.low, self.thresholds[rows])
        win[0], loss[0] = np.maximum(win[0], MIN_PROBABILITY), np.maximum(loss[0], MIN_PROBABILITY)
        residual = self.log_odds[rows] - (np.log(win[0]) - np.log(loss[0]))
        first, second = win[1:] / win[0] - loss[1:] / loss[0]
        a, b = _sum_over_books(weight * first * first), _sum_over_books(weight * first * second)
        c = _sum_over_books(weight * second * second) + self.prior_strength
        u = _sum_over_books(weight * first * residual)
        v = _sum_over_books(weight * second * residual) + self.prior_strength * (typical_shape - x[:, 1])
        determinant = np.maximum(a * c - b * b, MIN_DETERMINANT_RATIO * a * c)
        step = np.stack([c * u - b * v, a * v - b * u], axis=1) / determinant[:, None]
        return step, _weighted_mean(residual * residual, weight)


def _sum_over_books(terms: Array) -> Array:
    """Sum over books, term by term: `np.sum` groups its terms by the shape of the whole array."""
    total: Array = terms.cumsum(axis=1)[:, -1:].sum(axis=1)  # a slice, because the axis may be empty
    return total


def _weighted_mean(values: Array, weight: Array) -> Array:
    return _sum_over_books(weight * values) / _sum_over_books(weight)
