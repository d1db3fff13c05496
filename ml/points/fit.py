"""The margin or total that the books' fair probabilities at their different points agree on best.

Weighted least squares on log-odds: minimise sum of w (logit q - logit c(t))^2 + firmness (s - s0)^2, where q is a
book's fair probability at its threshold t, c the model's conditional one, s the log of the model's spread and s0
its typical value. By Gauss-Newton, all lines at once, each leaving when it has converged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from ml.points.families import Family, centred, to_coordinates, to_parameters
from ml.points.settlement import Chances, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.points.model import PointModel

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

FIRMNESS = 4.0
"""Books at neighbouring points say little of the spread, and noise in their prices much: a typical spread is as good
as four books two log-odds apart. A convention; 0 trusts the books alone."""
MAX_ITERATIONS = 50
TOLERANCE = 1e-10
STRIDE = 0.75
"""Largest step, in log units or typical deviations."""
LINES_AT_ONCE = 256
"""Their cells stay in the cache."""
SINGULAR = 1e-12
SMALLEST = 1e-200
"""An absurd point may lie where a tail's probability is no longer a number."""


class FitStatus(IntEnum):
    """Why a line has, or has not, a distribution."""

    OK = 0
    NO_BOOK = 1
    """No book has a threshold between the model's numbers, a fair probability in (0, 1) and a positive weight."""
    UNDETERMINED = 2
    """One point only, and a firmness of zero: nothing tells the spread."""
    NOT_CONVERGED = 3


@dataclass(frozen=True, slots=True, eq=False)
class PointFit:
    """Distributions of L lines: `parameters` (L, 2) of the family, NaN where `status` (L,) is not OK.

    `error` (L,) is the weighted root mean square of the books' distances from the fit, in log-odds.
    """

    model: PointModel
    parameters: Array
    status: NDArray[np.int8]
    error: Array

    def chances(self, thresholds: Array) -> Chances:
        """Win, push and loss of exceeding `thresholds` (L, B)."""
        return self.model.chances(self.parameters, thresholds)

    def at_common(self, thresholds: Array, fair: Array, common: Array) -> Array:
        """What each book's `fair` (L, B) at its own `thresholds` (L, B) means at the `common` one (L,): (L, B).

        A book keeps its distance in log-odds from the model, so that its opinion is carried over and not replaced.
        """
        cells = self.model.probabilities(self.parameters)
        here, there = (settle(cells, self.model.low, at).conditional() for at in (thresholds, common[:, None]))
        odds = fair / (1 - fair) * (1 / here - 1) * (there / (1 - there))
        return odds / (1 + odds)


def fit_points(
    model: PointModel, thresholds: Array, fair: Array, weights: Array, firmness: float = FIRMNESS
) -> PointFit:
    """Fit `model` to the `fair` conditional probabilities (L, B) of exceeding `thresholds` (L, B).

    `weights` (L, B) >= 0; NaN in either of the others means no quote. A line's result does not depend on the
    others. Raises `ValueError` for weights or a firmness that are negative or NaN.
    """
    if not ((weights >= 0).all() and firmness >= 0):
        msg = "weights of books and the firmness must be zero or positive"
        raise ValueError(msg)
    parts = [
        _fit(
            model,
            thresholds[at : at + LINES_AT_ONCE],
            fair[at : at + LINES_AT_ONCE],
            weights[at : at + LINES_AT_ONCE],
            firmness,
        )
        for at in range(0, max(1, len(fair)), LINES_AT_ONCE)
    ]
    parameters, status, error = map(np.concatenate, zip(*parts, strict=True))
    return PointFit(model, parameters, status, error)


def _fit(
    model: PointModel, thresholds: Array, fair: Array, weights: Array, firmness: float
) -> tuple[Array, NDArray[np.int8], Array]:
    used = (weights > 0) & (fair > 0) & (fair < 1) & (thresholds > model.low) & (thresholds < model.high)
    status = np.where(used.any(axis=1), FitStatus.OK, FitStatus.NO_BOOK).astype(np.int8)
    if firmness == 0:
        lowest = np.where(used, thresholds, np.inf).min(axis=1, initial=np.inf)
        apart = np.where(used, thresholds, -np.inf).max(axis=1, initial=-np.inf) > lowest
        status[~apart & (status == FitStatus.OK)] = FitStatus.UNDETERMINED
    rows = np.flatnonzero(status == FitStatus.OK)
    problem = _Problem.of(model, thresholds[rows], fair[rows], np.where(used, weights, 0.0)[rows], firmness)
    coordinates, mean_square, converged = problem.solve()
    status[rows[~converged]] = FitStatus.NOT_CONVERGED
    parameters, error = np.full((len(status), 2), np.nan), np.full(len(status), np.nan)
    parameters[rows[converged]] = to_parameters(model.family, coordinates[converged])
    error[rows[converged]] = np.sqrt(mean_square[converged])
    return parameters, status, error


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Lines that can be fitted; thresholds and log-odds of unused books are those of some number, with weight 0."""

    model: PointModel
    thresholds: Array
    log_odds: Array
    weight: Array
    firmness: float

    @classmethod
    def of(cls, model: PointModel, thresholds: Array, fair: Array, weight: Array, firmness: float) -> _Problem:
        used = weight > 0
        thresholds = np.where(used, thresholds, _mean(np.where(used, thresholds, 0.0), weight)[:, None].round())
        fair = np.where(used, fair, 0.5)
        return cls(model, thresholds, np.log(fair) - np.log1p(-fair), weight, firmness)

    def solve(self) -> tuple[Array, Array, Mask]:
        """Coordinates (L, 2), mean squared residuals (L,), and which lines have converged (L,)."""
        typical = float(to_coordinates(self.model.family, np.array([self.model.typical]))[0, 1])
        x = centred(self.model.family, _mean(self.thresholds, self.weight), typical)
        error, converged = np.full(len(x), np.nan), np.zeros(len(x), np.bool_)
        largest = STRIDE * np.array([self.model.typical[1] if self.model.family is Family.NORMAL else 1.0, 1.0])
        active = np.arange(len(x))
        for _ in range(MAX_ITERATIONS):
            if not len(active):
                break
            step, error[active] = self._step(x[active], active, typical)
            step = np.clip(step, -largest, largest)
            x[active] += step
            done = (np.abs(step) <= TOLERANCE * largest).all(axis=1)
            converged[active[done]] = True
            active = active[~done]
        return x, error, converged

    def _step(self, x: Array, rows: NDArray[np.intp], typical: float) -> tuple[Array, Array]:
        """The Gauss-Newton step (l, 2) of the lines `rows`, and their mean squared residual at `x` (l,)."""
        weight = self.weight[rows]
        win, _, loss = settle(self.model.cells(x), self.model.low, self.thresholds[rows])
        win[0], loss[0] = np.maximum(win[0], SMALLEST), np.maximum(loss[0], SMALLEST)
        residual = self.log_odds[rows] - (np.log(win[0]) - np.log(loss[0]))
        first, second = win[1:] / win[0] - loss[1:] / loss[0]
        a, b = _sum(weight * first * first), _sum(weight * first * second)
        c = _sum(weight * second * second) + self.firmness
        u = _sum(weight * first * residual)
        v = _sum(weight * second * residual) + self.firmness * (typical - x[:, 1])
        determinant = np.maximum(a * c - b * b, SINGULAR * a * c)
        step = np.stack([c * u - b * v, a * v - b * u], axis=1) / determinant[:, None]
        return step, _mean(residual * residual, weight)


def _sum(terms: Array) -> Array:
    """Sum over books, one after the other: `np.sum` groups its terms by the shape of the whole array."""
    total: Array = terms.cumsum(axis=1)[:, -1:].sum(axis=1)  # a slice: there may be no book
    return total


def _mean(values: Array, weight: Array) -> Array:
    return _sum(weight * values) / _sum(weight)
