"""Lines fitted per second on one core, against `scipy.optimize.least_squares` on one line at a time."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize  # type: ignore[import-untyped,unused-ignore]

from ml.points import PointModel, fit_points
from ml.points.families import to_coordinates, to_parameters
from tests.benchmarks.report import REPORT
from tests.support.point_models import NBA_TOTAL, NFL_MARGIN, SOCCER_MARGIN, SOCCER_TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LINES, BOOKS, ONE_BY_ONE = 2_000, 20, 20
MODELS = {
    "nfl margin": NFL_MARGIN,
    "nba total": NBA_TOTAL,
    "soccer margin": SOCCER_MARGIN,
    "soccer total": SOCCER_TOTAL,
}


def books(model: PointModel) -> tuple[Array, Array]:
    """Thresholds within a point of the middle, and probabilities with 3% noise in log-odds."""
    rng = np.random.default_rng(7)
    parameters = np.array(model.typical_parameters) * rng.uniform(0.95, 1.05, (LINES, 2))
    mean = model.pmf(parameters) @ model.support
    thresholds = np.round(mean)[:, None] + rng.integers(-2, 3, (LINES, BOOKS)) / 2
    fair = model.win_push_loss(parameters, thresholds).win_given_decided()
    odds = fair / (1 - fair) * np.exp(rng.normal(0, 0.03, fair.shape))
    return thresholds, odds / (1 + odds)


def residuals(x: Array, model: PointModel, thresholds: Array, log_odds: Array, typical: float) -> Array:
    p = model.win_push_loss(to_parameters(model.family, x[None]), thresholds[None]).win_given_decided()[0]
    return np.append(log_odds - np.log(p / (1 - p)), 2 * (x[1] - typical))


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def test_fit_and_carry_over() -> None:
    REPORT.note(f"{LINES:,} lines x {BOOKS} books at five points")
    for name, model in MODELS.items():
        thresholds, fair = books(model)
        weights, log_odds = np.ones_like(fair), np.log(fair / (1 - fair))
        fit = fit_points(model, thresholds, fair, weights)
        assert not fit.status.any()
        start = to_coordinates(model.family, np.array([model.typical_parameters]))[0]
        solve = partial(optimize.least_squares, residuals, start, xtol=1e-10)
        peer = seconds(
            lambda: [solve(args=(model, thresholds[i], log_odds[i], start[1])) for i in range(ONE_BY_ONE)],  # noqa: B023
            1,
        )
        ours = seconds(lambda: fit_points(model, thresholds, fair, weights))  # noqa: B023
        carry = seconds(lambda: fit.translate(thresholds, fair, thresholds[:, 0]))  # noqa: B023
        ratio = peer / ONE_BY_ONE / (ours / LINES)
        REPORT.figure(f"lines fitted, {name}", LINES / ours, "/s", ratio, "least_squares")
        REPORT.figure(f"lines translated, {name}", LINES / carry, "/s")
