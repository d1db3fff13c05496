"""Simultaneous Kelly: time by number of bets, warm and cold, against SciPy's SLSQP on the same objective."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, minimize

from ml.staking import (
    EventOutcomes,
    ExposureLimit,
    GrowthObjective,
    StakePolicy,
    StakeRequests,
    apply_controls,
    exclusive_bets,
    simultaneous_kelly,
)
from tests.benchmarks.report import REPORT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DAY, EVENT = 0.5, 0.05
BETS = 10_000


def markets(count: int) -> list[EventOutcomes]:
    """Three-way markets with about one price in four worth a bet."""
    draw = np.random.default_rng(7)
    fair = draw.dirichlet([4.0, 2.5, 3.0], count) * 0.97 + 0.01
    return [exclusive_bets(p, np.maximum(1.02, (1 + draw.normal(-0.02, 0.03, 3)) / p)) for p in fair]


def slsqp(events: list[EventOutcomes]) -> Array:
    """The same programme for SciPy; growth in units of a hundredth, or its tolerance stops it early."""
    outcomes, count = GrowthObjective(events), len(events)
    rows = np.vstack([np.ones(3 * count), np.kron(np.eye(count), np.ones(3))])
    limits = LinearConstraint(rows, ub=np.append(DAY, np.full(count, EVENT)))
    found = minimize(  # type: ignore[call-overload,unused-ignore]
        lambda x: -100 * outcomes.growth(x),
        np.zeros(3 * count),
        jac=lambda x: -100 * outcomes.gradient(x),
        method="SLSQP",
        bounds=Bounds(0, 1),
        constraints=limits,
        options={"ftol": 1e-8, "maxiter": 300},
    )
    return np.asarray(found.x)


def test_simultaneous() -> None:
    for count in (5, 20, 50, 100):
        events, bets = markets(count), 3 * count
        limits = {"event": ExposureLimit([at // 3 for at in range(bets)], EVENT), "day": ExposureLimit([0] * bets, DAY)}
        before = simultaneous_kelly(events[:-1], {"day": ExposureLimit([0] * (bets - 3), DAY)}).stakes
        start = time.perf_counter()
        cold = simultaneous_kelly(events, limits)
        middle = time.perf_counter()
        simultaneous_kelly(events, limits, start=np.append(before, np.zeros(3)))
        end = time.perf_counter()
        REPORT.note(f"{bets} bets: growth {cold.growth:.6f}, optimality gap {cold.optimality_gap:.1e}")
        REPORT.figure(f"{bets} bets, warm start", (end - middle) * 1e3, "ms")
        if count > 50:
            REPORT.figure(f"{bets} bets", (middle - start) * 1e3, "ms")
            continue
        less = GrowthObjective(events).growth(slsqp(events)) - cold.growth
        peer = time.perf_counter() - end
        REPORT.figure(f"{bets} bets", (middle - start) * 1e3, "ms", (middle - start) / peer, "SLSQP's time")
        REPORT.figure(f"{bets} bets, SLSQP's growth less ours", less, "of the bankroll")


def test_controls() -> None:
    draw = np.random.default_rng(7)
    labels = {kind: draw.integers(0, size, BETS) for kind, size in (("event", 3000), ("league", 40), ("book", 60))}
    nothing = {kind: np.zeros(BETS) for kind in ("event", "league", "book", "day")}
    slip = StakeRequests(
        price=draw.uniform(1.2, 8, BETS),
        standard_error=draw.uniform(0, 0.03, BETS),
        **labels,
        day=draw.integers(0, 7, BETS),
        at_risk=nothing,
        bankroll=950.0,
        peak=1000.0,
    )
    start = time.perf_counter()
    apply_controls(draw.uniform(0, 0.1, BETS), slip, StakePolicy())
    REPORT.figure(f"{BETS:,} bets through all controls", (time.perf_counter() - start) * 1e3, "ms")
