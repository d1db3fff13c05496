from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ml.arbitrage import StakeLimits, best_stakes, find_arbitrage, size_limited_arbitrage
from tests.support.arbitrage_prices import lines, profits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PROFIT = np.array([[1.10, -1], [-1, 1.05]])
"""2.10 and 2.05: 3.73%."""


@given(lines())
@settings(max_examples=60)
def test_without_limits_the_programme_is_the_closed_form(prices: Array) -> None:
    sure, solved = find_arbitrage(prices), best_stakes(profits(prices[0]), 100)
    assert solved.guaranteed_profit == pytest.approx(100 * max(sure.guaranteed_return[0], 0), abs=1e-4)
    assert (solved.stake.sum() > 0) == (solved.guaranteed_profit > 0)


@given(st.data(), lines(), st.floats(50, 400))
@settings(max_examples=100)
def test_with_limits_the_programme_is_optimal(data: st.DataObject, prices: Array, budget: float) -> None:
    limit = data.draw(hnp.arrays(np.float64, prices.shape, elements=st.sampled_from([0.0, 10.0, 40.0, 250.0])))
    sized = size_limited_arbitrage(prices, limit, budget)
    limits = StakeLimits(np.zeros(limit.size), limit.ravel(), np.zeros(limit.size))
    solved = best_stakes(profits(prices[0]), budget, limits)
    assert sized.guaranteed_profit[0] == pytest.approx(solved.guaranteed_profit, abs=1e-4)
    assert (sized.stake <= limit + 1e-9).all()
    assert sized.total[0] <= budget + 1e-9
    assert sized.guaranteed_profit[0] >= 0
    worst = (profits(prices[0]) @ sized.stake.ravel()).min()
    assert worst == pytest.approx(sized.guaranteed_profit[0], abs=1e-9)


def test_the_second_best_price_is_used_while_it_pays() -> None:
    prices = np.array([[[2.10, 2.05], [2.02, 1.90]]])
    sized = size_limited_arbitrage(prices, np.array([[[50.0, 1000.0], [30.0, 1000.0]]]), 10_000)
    np.testing.assert_allclose(sized.stake[0, :, 0], [50, 30])
    assert sized.stake[0, 0, 1] == pytest.approx((105 + 60.6) / 2.05)
    assert sized.guaranteed_return[0] == pytest.approx(sized.guaranteed_profit[0] / sized.total[0])


def test_no_arbitrage_no_stake() -> None:
    sized = size_limited_arbitrage(
        np.array([[[1.9, 1.9]], [[2.1, np.nan]]]), np.full((2, 1, 2), 100.0), np.array([10, 20])
    )
    assert not sized.stake.any()
    assert not sized.guaranteed_profit.any()
    assert np.isnan(sized.guaranteed_return).all()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3)])
def test_nothing_on_offer(shape: tuple[int, int, int]) -> None:
    sized = size_limited_arbitrage(np.empty(shape), np.empty(shape), 10)
    assert sized.stake.shape == shape
    assert not sized.total.any()


def test_a_smallest_stake_can_forbid_the_bet() -> None:
    limits = StakeLimits(np.array([60.0, 0.0]), np.full(2, np.inf), np.zeros(2))
    assert not best_stakes(PROFIT, 100, limits).stake.any()
    assert best_stakes(PROFIT, 130, limits).guaranteed_profit == pytest.approx(130 * 0.0373494, rel=1e-5)
    unaffordable = StakeLimits(np.array([200.0, 0.0]), np.full(2, np.inf), np.zeros(2))
    assert not best_stakes(PROFIT, 130, unaffordable).stake.any()


@given(st.integers(10, 60), st.sampled_from([1.0, 5.0]), st.sampled_from([0.0, 10.0]))
@settings(max_examples=25)
def test_increments_against_trying_all(budget: int, increment: float, minimum: float) -> None:
    limits = StakeLimits(np.full(2, minimum), np.full(2, 40.0), np.full(2, increment))
    grid = [s for s in np.arange(0, 41, increment) if s == 0 or s >= minimum]
    tried = max(min(1.1 * a - b, 1.05 * b - a) for a in grid for b in grid if a + b <= budget)
    solved = best_stakes(PROFIT, budget, limits)
    assert solved.guaranteed_profit == pytest.approx(tried, abs=1e-6)
    np.testing.assert_array_equal(solved.stake % increment, 0)


def test_placed_bets_count() -> None:
    """A bet at 5.00 whose price fell: laying off guarantees its share."""
    placed = np.array([40.0, -10.0])
    solved = best_stakes(np.array([[-1.0], [0.6]]), 100, placed_profit=placed)
    assert solved.stake[0] == pytest.approx(50 / 1.6)
    assert solved.guaranteed_profit == pytest.approx(40 - 50 / 1.6)


@pytest.mark.parametrize("budget", [0.0, -1.0, np.inf, np.nan])
def test_impossible_budgets_are_refused(budget: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        best_stakes(PROFIT, budget)
