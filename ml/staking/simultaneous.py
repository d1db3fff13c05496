"""Simultaneous Kelly: the concave programme that maximises expected log growth within limits.

Newton's method on the exact objective of `ml.staking.outcomes`; each step is a quadratic programme for Clarabel. A
conic formulation of the whole (cvxpy) needs an exponential cone for each joint outcome of all events (ten three-way
markets: 59,049), or for a sample of them, whose noise moves the stakes and which cannot be warm-started; SciPy's SLSQP
finds the same stakes but is slower from 60 bets on (`bench_staking.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from clarabel import DefaultSettings, DefaultSolver, NonnegativeConeT
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

from ml.staking.outcomes import GrowthObjective

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.staking.outcomes import EventOutcomes

    Array = NDArray[np.float64]

GROWTH_TOLERANCE = 1e-10
"""Gain in expected log growth below which iteration stops."""
MAX_STEPS = 50
ARMIJO_RATIO = 1e-4
"""Share of the predicted gain that a step must achieve (Armijo)."""
MIN_WEALTH_RATIO = 1e-3
"""Share of the bankroll that is never staked, because log growth is minus infinity at ruin."""


@dataclass(frozen=True, slots=True, eq=False)
class ExposureLimit:
    """All bets that share a label stake at most `limit` of the bankroll; `labels` has one entry per bet."""

    labels: Sequence[Hashable]
    limit: float

    def membership(self) -> NDArray[np.bool_]:
        """Membership (G, J) of the bets in the groups."""
        return np.array([[label == group for label in self.labels] for group in dict.fromkeys(self.labels)])


@dataclass(frozen=True, slots=True, eq=False)
class StakePlan:
    """`stakes` (J,) in bankrolls, their expected log `growth`, and `optimality_gap`, a bound on how much better the
    best is.
    """

    stakes: Array
    growth: float
    optimality_gap: float


def simultaneous_kelly(
    events: Sequence[EventOutcomes],
    exposures: Mapping[str, ExposureLimit] | None = None,
    *,
    held: Array | None = None,
    closed: NDArray[np.bool_] | None = None,
    start: Array | None = None,
) -> StakePlan:
    """Stakes for all bets of independent `events` that grow the bankroll fastest within all `exposures`.

    `held` (J,) is already staked and cannot be reduced; where `closed` (J,) nothing can be added. Holdings above a
    limit only prevent additions. `start` (J,) is a guess, such as the previous plan with a zero for a new bet. The
    `optimality_gap` follows from the gradient (Frank & Wolfe 1956), independently of the solver. Raises `ValueError` if
    `held` or `start` can lose the whole bankroll.
    """
    if not events:
        return StakePlan(np.empty(0), 0.0, 0.0)
    objective = GrowthObjective(events)
    low = np.zeros(objective.bet_count) if held is None else held
    high = np.where(False if closed is None else closed, low, 1.0)
    limits = _build_constraints(exposures or {}, low, high)
    stakes = _newton_ascent(objective, limits, limits.pull_inside(low if start is None else start))
    return StakePlan(stakes, objective.growth(stakes), limits.optimality_gap(stakes, objective.gradient(stakes)))


@dataclass(frozen=True, slots=True, eq=False)
class _Constraints:
    """`low` <= stakes <= `high` (J,), `rows` (K, J) @ stakes <= `capacity` (K,); `low` itself is within."""

    low: Array
    high: Array
    rows: Array
    capacity: Array

    def pull_inside(self, guess: Array) -> Array:
        """The guess, moved towards `low` until it is within the limits."""
        added = np.clip(guess, self.low, self.high) - self.low
        used, free = self.rows @ added, self.capacity - self.rows @ self.low
        share = np.min(np.divide(free, used, out=np.ones_like(used), where=used > free))
        return np.asarray(self.low + max(0.0, share) * added)

    def optimality_gap(self, stakes: Array, slope: Array) -> float:
        """The largest gain of the tangent at `stakes` within the limits, which bounds a concave function's gain."""
        bounds = list(zip(self.low.tolist(), self.high.tolist(), strict=True))
        tangent = linprog(-slope, A_ub=self.rows, b_ub=self.capacity, bounds=bounds)
        return float("inf") if tangent.x is None else max(0.0, float(slope @ (tangent.x - stakes)))

    def newton_step(self, stakes: Array, slope: Array, curvature: Array) -> Array:
        """The step from `stakes` that maximises the quadratic model."""
        unit = np.eye(len(stakes))
        sides = csc_matrix(np.vstack([self.rows, unit, -unit]))
        room = np.concatenate([self.capacity - self.rows @ stakes, self.high - stakes, stakes - self.low])
        model = DefaultSolver(
            csc_matrix(np.triu(-curvature)),
            -slope,
            sides,
            np.maximum(room, 0),
            [NonnegativeConeT(len(room))],
            _solver_settings(),
        )
        return np.array(model.solve().x)


def _build_constraints(exposures: Mapping[str, ExposureLimit], low: Array, high: Array) -> _Constraints:
    everything = np.ones((1, len(low)))
    rows = np.vstack([everything, *(exposure.membership() for exposure in exposures.values())])
    capacity = [1 - MIN_WEALTH_RATIO]
    for exposure in exposures.values():
        capacity += [exposure.limit] * len(set(exposure.labels))
    return _Constraints(low, high, rows, np.maximum(capacity, rows @ low))


def _newton_ascent(objective: GrowthObjective, limits: _Constraints, stakes: Array) -> Array:
    growth = objective.growth(stakes)
    for _ in range(MAX_STEPS):
        slope = objective.gradient(stakes)
        move = limits.newton_step(stakes, slope, objective.hessian(stakes))
        gain = float(slope @ move)
        if not gain > GROWTH_TOLERANCE:
            break
        share = 1.0
        while (reached := objective.growth(stakes + share * move)) < growth + ARMIJO_RATIO * share * gain:
            share /= 2
        stakes, growth = np.clip(stakes + share * move, limits.low, limits.high), reached
    return stakes


def _solver_settings() -> DefaultSettings:
    settings = DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    return settings
