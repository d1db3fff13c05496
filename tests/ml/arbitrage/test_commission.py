from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.arbitrage import lay_as_back, lay_stake, net_price


def test_a_winning_back_bet_pays_less() -> None:
    np.testing.assert_allclose(net_price(np.array([3.0, 1.5]), np.array([0.05, 0.0])), [2.9, 1.5])


@given(st.floats(1.01, 500), st.floats(0, 0.2), st.floats(1, 1000))
def test_laying_is_backing_the_rest(price: float, commission: float, liability: float) -> None:
    back = lay_as_back(np.array(price), commission)
    stake = float(lay_stake(np.array(liability), np.array(price)))
    assert stake * (price - 1) == pytest.approx(liability)
    assert liability * (float(back) - 1) == pytest.approx(stake * (1 - commission))


def test_impossible_lays_are_refused() -> None:
    assert np.isnan(lay_as_back(np.array([1.0, 0.5, np.nan]), 0.02)).all()
    assert np.isnan(lay_stake(np.array(10.0), np.array(1.0)))
