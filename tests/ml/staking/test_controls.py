from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.staking import CONTROLS, StakePolicy, StakeRequests, apply_controls

NAN = float("nan")
KINDS = ("event", "league", "book", "day")
OPEN = StakePolicy(**{field.name: 1.0 for field in fields(StakePolicy)})


def slip(count: int, sigma: float = 0.0, bankroll: float = 1000.0) -> StakeRequests:
    labels = {"event": np.arange(count) // 2, "league": np.arange(count) // 4}
    same = np.zeros(count, dtype=np.int64)
    nothing = {kind: np.zeros(count) for kind in KINDS}
    return StakeRequests(
        price=np.full(count, 2.0),
        standard_error=np.full(count, sigma),
        event=labels["event"],
        league=labels["league"],
        book=same,
        day=same,
        at_risk=nothing,
        bankroll=bankroll,
        peak=1000.0,
    )


def test_the_order() -> None:
    names = [control.name for control in CONTROLS]
    assert names == ["known", "uncertainty", "fraction", "drawdown", "bet", "event", "league", "book", "day"]
    assert all(control.reason for control in CONTROLS)


def test_the_loosest_policy_leaves_a_sane_slip_alone() -> None:
    wanted = np.array([0.1, 0.2, 0.0])
    result = apply_controls(wanted, slip(3), OPEN)
    np.testing.assert_allclose(result.stakes, wanted)
    assert result.binding_control.tolist() == ["", "", ""]


@pytest.mark.parametrize(
    ("policy", "bankroll", "sigma", "name", "final"),
    [
        (replace(OPEN, kelly_multiplier=0.5), 1000, 0.0, "fraction", 0.05),
        (replace(OPEN, max_drawdown=0.2), 900, 0.0, "drawdown", 0.1 * (1 - 800 / 900) / 0.2),
        (replace(OPEN, max_drawdown=0.2), 800, 0.0, "drawdown", 0.0),
        (replace(OPEN, max_drawdown=0.2), 0, 0.0, "known", 0.0),
        (replace(OPEN, bet=0.02), 1000, 0.0, "bet", 0.02),
        (replace(OPEN, event=0.1), 1000, 0.0, "event", 0.05),
        (replace(OPEN, league=0.2), 1000, 0.0, "league", 0.05),
        (replace(OPEN, book=0.2), 1000, 0.0, "book", 0.05),
        (replace(OPEN, day=0.2), 1000, 0.0, "day", 0.05),
        (OPEN, 1000, 0.05, "uncertainty", 0.05),
    ],
)
def test_each_control_binds(policy: StakePolicy, bankroll: float, sigma: float, name: str, final: float) -> None:
    result = apply_controls(np.full(4, 0.1), slip(4, sigma, bankroll), policy)
    np.testing.assert_allclose(result.stakes, final, atol=1e-12)
    assert set(result.binding_control) == {name}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_at_risk_counts_and_the_unknown_allows_nothing(kind: str) -> None:
    policy = replace(OPEN, **{kind: 0.3})
    for risk, final in ((0.2, 0.05), (0.5, 0.0), (NAN, 0.0)):
        base = slip(2)
        result = apply_controls(np.full(2, 0.1), replace(base, at_risk=base.at_risk | {kind: np.full(2, risk)}), policy)
        np.testing.assert_allclose(result.stakes, final)


@pytest.mark.parametrize(
    ("field", "value"), [("price", NAN), ("price", 1.0), ("standard_error", NAN), ("standard_error", -0.1)]
)
def test_a_missing_number_stops_its_own_bet_only(field: str, value: float) -> None:
    base = slip(2)
    spoilt = replace(base, **{field: np.array([value, getattr(base, field)[1]])})  # type: ignore[arg-type]
    result = apply_controls(np.array([0.1, 0.1]), spoilt, OPEN)
    np.testing.assert_allclose(result.stakes, [0.0, 0.1])
    assert result.binding_control.tolist() == ["known", ""]


shares = st.floats(0.01, 1)
policies = st.builds(StakePolicy, shares, shares, shares, shares, shares, shares, shares)
stakes_wanted = st.lists(st.floats(-1, 2) | st.sampled_from([NAN, np.inf]), min_size=1, max_size=9)


@settings(max_examples=60)
@given(stakes_wanted, policies, st.floats(0, 0.1), st.floats(-10, 1000))
def test_no_control_raises_a_stake_and_all_limits_hold(
    wanted: list[float], policy: StakePolicy, sigma: float, bankroll: float
) -> None:
    bets = slip(len(wanted), sigma, bankroll)
    result = apply_controls(np.array(wanted), bets, policy)
    assert (np.diff(result.history[1:], axis=0) <= 0).all()
    assert (result.stakes <= np.nan_to_num(np.maximum(wanted, 0), posinf=0)).all()
    assert result.stakes.max() <= policy.bet
    for kind in KINDS:
        totals = np.bincount(getattr(bets, kind), weights=result.stakes)
        assert totals.max() <= getattr(policy, kind) * (1 + 1e-12)


@settings(max_examples=60)
@given(stakes_wanted, policies, st.floats(0, 0.1))
def test_without_labels_each_bet_is_by_itself(wanted: list[float], policy: StakePolicy, sigma: float) -> None:
    base, apart = slip(len(wanted), sigma), np.arange(len(wanted))
    labelled = replace(base, event=apart, league=apart, book=apart, day=apart)
    alone = replace(base, event=None, league=None, book=None, day=None, at_risk={})
    one, other = (apply_controls(np.array(wanted), bets, policy) for bets in (labelled, alone))
    np.testing.assert_array_equal(one.history, other.history)
    assert one.binding_control.tolist() == other.binding_control.tolist()


@settings(max_examples=60)
@given(st.floats(0.05, 0.9), st.floats(0, 1))
def test_stakes_up_to_the_drawdown_cannot_fall_through_the_floor(drawdown: float, where: float) -> None:
    floor = 1000 * (1 - drawdown)
    bankroll = floor + where * (1000 - floor)
    total = apply_controls(
        np.array([drawdown]), slip(1, 0.0, bankroll), replace(OPEN, max_drawdown=drawdown)
    ).stakes.sum()
    assert bankroll * (1 - total) >= floor - 1e-9


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, NAN])
def test_a_policy_cannot_switch_a_control_off(share: float) -> None:
    with pytest.raises(ValueError, match=r"must be in \(0, 1\]"):
        StakePolicy(bet=share)
