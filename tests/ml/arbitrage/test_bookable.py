from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.arbitrage import StakeLimits, best_stakes, find_arbitrage, round_stakes
from tests.support.arbitrage_prices import lines, profits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def test_whole_units() -> None:
    found = round_stakes(np.array([[2.10, 2.05]]), 100, 1)
    assert found.stake.tolist() == [[49, 50]]
    assert found.guaranteed_profit[0] == pytest.approx(102.5 - 99)
    assert found.guaranteed_return[0] == pytest.approx(3.5 / 99)
    assert found.exact[0]


def test_no_profit_is_left_after_rounding() -> None:
    found = round_stakes(np.array([[2.02, 2.01], [1.9, 1.9], [2.1, np.nan], [2.1, np.inf]]), 40, np.array([10.0, 7.0]))
    assert not found.stake.any()
    assert not found.guaranteed_profit.any()
    assert np.isnan(found.guaranteed_return).all()


def test_a_smallest_stake_above_the_largest_closes_the_bet() -> None:
    assert not round_stakes(np.array([[2.2, 2.2]]), 100, 1, minimum=50, maximum=np.array([40, 100])).stake.any()


@given(
    lines(books=2),
    st.integers(20, 300),
    st.sampled_from([1.0, 2.5, 5.0]),
    st.sampled_from([0.0, 10.0]),
    st.sampled_from([45.0, 1000.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_enumeration_is_the_integer_programme(
    prices: Array, budget: int, increment: float, minimum: float, maximum: float
) -> None:
    best = find_arbitrage(prices).price
    found = round_stakes(best, budget, increment, minimum, maximum, candidates=400)
    limits = StakeLimits(*(np.full(best.size, x) for x in (minimum, maximum, increment)))
    solved = best_stakes(profits(best), budget, limits)
    assert found.exact[0]
    assert found.guaranteed_profit[0] == pytest.approx(solved.guaranteed_profit, abs=1e-4)


@given(lines(), st.floats(50, 5000), st.sampled_from([0.01, 0.5, 1.0, 5.0]))
@settings(max_examples=100)
def test_the_reported_profit_is_guaranteed(prices: Array, budget: float, increment: float) -> None:
    sure = find_arbitrage(prices)
    found = round_stakes(sure.price, budget, increment)
    assert found.guaranteed_profit[0] >= 0
    assert found.total[0] <= budget * (1 + 1e-9)
    assert found.guaranteed_profit[0] <= max(sure.guaranteed_return[0], 0) * budget + 1e-6
    if found.total[0]:
        np.testing.assert_allclose(found.stake / increment, np.round(found.stake / increment), atol=1e-6)
        assert (found.stake * sure.price).min() - found.total[0] == pytest.approx(found.guaranteed_profit[0])
        assert found.guaranteed_return[0] > 0


def test_impossible_increments_are_refused() -> None:
    with pytest.raises(ValueError, match="increments"):
        round_stakes(np.array([[2.1, 2.1]]), 100, 0)
