from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.staking import kelly_fraction

NAN = float("nan")
chances = st.floats(0.01, 0.99)
decimal_odds = st.floats(1.01, 50)


def kelly(p: float, price: float, cap: float = 1.0) -> float:
    return float(kelly_fraction(np.array(p), np.array(price), cap))


def growth(p: float, price: float, stake: float) -> float:
    return float(p * np.log1p(stake * (price - 1)) + (1 - p) * np.log1p(-stake))


@pytest.mark.parametrize(("p", "price", "stake"), [(0.6, 2.0, 0.2), (0.55, 1 + 100 / 110, 0.055), (0.25, 5.0, 0.0625)])
def test_textbook_stakes(p: float, price: float, stake: float) -> None:
    assert kelly(p, price) == pytest.approx(stake)


@given(chances, decimal_odds, st.floats(0, 0.999))
def test_no_other_stake_grows_faster(p: float, price: float, other: float) -> None:
    assert growth(p, price, min(kelly(p, price), 0.999)) >= growth(p, price, other) - 1e-12


@given(chances, decimal_odds, st.floats(0, 1))
def test_between_nothing_and_the_cap(p: float, price: float, cap: float) -> None:
    stake = kelly(p, price, cap)
    assert 0 <= stake <= cap
    assert (stake == 0) == (cap == 0 or p * price <= 1)
    assert stake == min(kelly(p, price), cap)


@given(chances, decimal_odds)
def test_more_for_a_better_bet(p: float, price: float) -> None:
    assert kelly(p, price) <= kelly(min(p + 0.01, 1), price)
    assert kelly(p, price) <= kelly(p, price + 0.1)


@pytest.mark.parametrize(("p", "price"), [(NAN, 2.0), (0.5, NAN), (0.5, 1.0), (0.9, 0.5), (0.5, -110.0)])
def test_no_stake_where_there_is_nothing_to_win(p: float, price: float) -> None:
    assert np.isnan(kelly(p, price))


def test_arguments_broadcast() -> None:
    stakes = kelly_fraction(np.array([[[0.5, 0.5]]]), np.full((3, 4, 2), 2.1), 0.25)
    np.testing.assert_allclose(stakes, np.full((3, 4, 2), 0.05 / 1.1))
