"""Simultaneous Kelly against closed forms and brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ml.staking import (
    EventOutcomes,
    ExposureLimit,
    GrowthObjective,
    correlated_bets,
    exclusive_bets,
    kelly_fraction,
    kelly_with_push,
    simultaneous_kelly,
    single_bet,
)

SEED = 5


def markets(count: int) -> list[EventOutcomes]:
    """Three-way markets, some of their outcomes worth a bet."""
    draw = np.random.default_rng(SEED)
    fair = draw.dirichlet([4.0, 2.5, 3.0], count) * 0.97 + 0.01
    return [exclusive_bets(p, np.maximum(1.02, (1 + draw.normal(0, 0.04, 3)) / p)) for p in fair]


def test_growth_and_derivatives_by_brute_force() -> None:
    events = markets(4)
    outcomes, stakes = GrowthObjective(events), np.random.default_rng(SEED).uniform(0, 0.05, 12)
    growth, slope, curvature = 0.0, np.zeros(12), np.zeros((12, 12))
    for joint in product(*(range(len(event.probability)) for event in events)):
        chance = np.prod([event.probability[at] for event, at in zip(events, joint, strict=True)])
        profit = np.concatenate([event.profit[at] for event, at in zip(events, joint, strict=True)])
        wealth = 1 + profit @ stakes
        growth += chance * np.log(wealth)
        slope += chance * profit / wealth
        curvature -= chance * np.outer(profit, profit) / wealth**2
    assert outcomes.growth(stakes) == pytest.approx(growth, abs=1e-14)
    np.testing.assert_allclose(outcomes.gradient(stakes), slope, atol=1e-13)
    np.testing.assert_allclose(outcomes.hessian(stakes), curvature, atol=1e-12)


@pytest.mark.parametrize("stake", [0.0, 0.055, 0.5, 0.9, 0.999])
def test_growth_up_to_the_edge_of_ruin(stake: float) -> None:
    expected = 0.55 * np.log1p(stake) + 0.45 * np.log1p(-stake)
    assert GrowthObjective([single_bet(0.55, 0, 2.0)]).growth(np.array([stake])) == pytest.approx(expected, abs=1e-12)


def test_ruin_has_no_growth() -> None:
    outcomes = GrowthObjective([single_bet(0.55, 0, 2.0)])
    assert outcomes.growth(np.array([1.0])) == -np.inf
    with pytest.raises(ValueError, match="whole bankroll"):
        outcomes.gradient(np.array([1.0]))


@pytest.mark.parametrize(("win", "push", "price"), [(0.55, 0.0, 1 + 100 / 110), (0.5, 0.08, 1.95), (0.3, 0.0, 3.0)])
def test_one_bet_is_kelly(win: float, push: float, price: float) -> None:
    plan = simultaneous_kelly([single_bet(win, push, price)])
    expected = kelly_with_push(np.array([win]), np.array(push), np.array(price))
    np.testing.assert_allclose(plan.stakes, expected, atol=1e-6)


def test_two_exclusive_outcomes() -> None:
    """Smoczynski & Tomkins 2010: f = p - reserve / price, reserve = (1 - sum p) / (1 - sum 1 / price)."""
    p, price = np.array([0.4, 0.35]), np.array([2.8, 3.1])
    reserve = (1 - p.sum()) / (1 - (1 / price).sum())
    plan = simultaneous_kelly([exclusive_bets(p, price)])
    np.testing.assert_allclose(plan.stakes, p - reserve / price, atol=1e-6)


def test_independent_bets_are_near_single_kelly() -> None:
    """Whitrow 2007: close while the total is far from one; when it nears one, it stays below."""
    alone = float(kelly_fraction(np.array(0.55), np.array(2.0)))
    few = simultaneous_kelly([single_bet(0.55, 0, 2.0)] * 3).stakes
    many = simultaneous_kelly([single_bet(0.55, 0, 2.0)] * 20).stakes
    np.testing.assert_allclose(few, alone, rtol=0.03)
    assert (many < 0.8 * alone).all()
    assert few.sum() < many.sum() < 1


def test_stakes_fall_with_correlation() -> None:
    win, price = np.array([0.55, 0.55]), np.array([2.0, 2.0])
    totals = [simultaneous_kelly([correlated_bets(win, price, rho)]).stakes.sum() for rho in (-0.5, 0.0, 0.5, 0.99)]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] == pytest.approx(0.1, abs=1e-3)
    with pytest.raises(ValueError, match="do not admit correlation"):
        correlated_bets(np.array([0.9, 0.2]), price, 0.9)


def test_limits_hold_and_the_plan_is_proved_best() -> None:
    events = markets(10)
    limits = {"event": ExposureLimit(np.repeat(range(10), 3).tolist(), 0.02), "day": ExposureLimit(["today"] * 30, 0.1)}
    plan = simultaneous_kelly(events, limits)
    assert plan.stakes.reshape(10, 3).sum(axis=1).max() <= 0.02 + 1e-9
    assert plan.stakes.sum() <= 0.1 + 1e-9
    assert (plan.stakes >= 0).all()
    assert 0 <= plan.optimality_gap < 1e-6
    assert 0 < plan.growth < simultaneous_kelly(events).growth


def test_a_bet_more_starts_from_the_plan() -> None:
    events = markets(8)
    earlier = simultaneous_kelly(events[:-1]).stakes
    warm = simultaneous_kelly(events, start=np.append(earlier, np.zeros(3)))
    cold = simultaneous_kelly(events)
    np.testing.assert_allclose(warm.stakes, cold.stakes, atol=1e-5)


def test_held_bets_stay_and_leave_less_for_the_rest() -> None:
    events = [single_bet(0.55, 0, 2.0)] * 2
    held, closed = np.array([0.15, 0.0]), np.array([True, False])
    plan = simultaneous_kelly(events, {"day": ExposureLimit(["today"] * 2, 0.2)}, held=held, closed=closed)
    np.testing.assert_allclose(plan.stakes, [0.15, 0.05], atol=1e-6)
    full = simultaneous_kelly(events, {"day": ExposureLimit(["today"] * 2, 0.1)}, held=held, closed=closed)
    np.testing.assert_allclose(full.stakes, held, atol=1e-9)


@pytest.mark.parametrize(
    ("probability", "profit"),
    [
        ([0.5, 0.6], [[1.0], [-1.0]]),
        ([0.5, 0.5], [[1.0], [-1.5]]),
        ([1.0], [[1.0], [-1.0]]),
        ([1.5, -0.5], [[1.0], [-1.0]]),
    ],
)
def test_invalid_events_are_refused(probability: list[float], profit: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"probabilities|profits must be finite and at least -1"):
        EventOutcomes(np.array(probability), np.array(profit))
