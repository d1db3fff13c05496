from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.market import (
    confidence,
    edge,
    expected_value,
    hold,
    market_width,
    probability_of_value,
    probability_standard_error,
    rank_by_value,
    value_interval,
)
from ml.odds import OddsFormat, to_decimal
from tests.support.price_strategies import NAN

books = st.integers(1, 60)
seconds = st.floats(0, 1e5)
points = st.floats(0, 0.2)
log_odds = st.floats(0, 3)


def score(b: int, age: float, spread: float, dispersion: float) -> float:
    return float(confidence(np.array(b), np.array(age), np.array(spread), np.array(dispersion)))


def test_edge_and_expected_value_broadcast() -> None:
    fair, price = np.array([[[0.5, 0.5]]]), np.array([[[2.1, 1.9], [NAN, 2.0]]])
    np.testing.assert_allclose(edge(fair, price), [[[0.5 - 1 / 2.1, 0.5 - 1 / 1.9], [NAN, 0]]])
    np.testing.assert_allclose(expected_value(fair, price), [[[0.05, -0.05], [NAN, 0]]])


@given(st.floats(0.01, 0.99), st.floats(1.01, 100))
def test_value_is_edge_times_price(p: float, price: float) -> None:
    fair, at = np.array(p), np.array(price)
    assert float(expected_value(fair, at)) == pytest.approx(float(edge(fair, at)) * price, abs=1e-12)


def test_confidence_as_documented() -> None:
    assert score(4, 0, 0, 0) == pytest.approx(100 * 0.5**0.25)
    assert score(10**9, 300, 0.02, 0.15) == pytest.approx(100 * 0.5**0.75)
    assert score(12, 150, 0.01, 0.05) == pytest.approx(100 * (12 / 16 / 1.5 / 1.5 / (4 / 3)) ** 0.25)
    assert score(8, -30, 0, 0) == score(8, 0, 0, 0)


@given(books, seconds, points, log_odds)
def test_confidence_rises_with_books_and_falls_with_doubt(b: int, age: float, spread: float, dispersion: float) -> None:
    here = score(b, age, spread, dispersion)
    assert 0 < here < 100
    assert score(b + 1, age, spread, dispersion) > here
    assert score(b, age + 1, spread, dispersion) < here
    assert score(b, age, spread + 0.001, dispersion) < here
    assert score(b, age, spread, dispersion + 0.01) < here


def test_confidence_is_nan_where_its_inputs_are() -> None:
    for arguments in [(4, NAN, 0.0, 0.0), (4, 0.0, NAN, 0.0), (4, 0.0, 0.0, NAN)]:
        assert np.isnan(score(*arguments))


@given(st.floats(0.05, 0.9), st.floats(1.05, 20), st.floats(0, 0.3))
def test_a_push_gives_the_stake_back(p: float, price: float, push: float) -> None:
    """By the three outcomes: won, returned, lost."""
    won, lost = (1 - push) * p, (1 - push) * (1 - p)
    value = float(expected_value(np.array(p), np.array(price), push))
    assert value == pytest.approx(won * (price - 1) - lost, abs=1e-12)


def test_the_interval_covers_the_value_at_its_nominal_rate() -> None:
    """Estimates around a truth: nine of ten 90% intervals contain the true expected value."""
    rng = np.random.default_rng(5)
    truth, price, error = 0.42, 2.5, 0.02
    estimates = rng.normal(truth, error, 20_000)
    for level in (0.5, 0.9):
        low, high = value_interval(estimates, np.array(price), np.array(error), level=level)
        held = ((low <= truth * price - 1) & (truth * price - 1 <= high)).mean()
        assert held == pytest.approx(level, abs=0.01)


def test_intervals_stay_within_the_possible_range() -> None:
    low, high = value_interval(np.array(0.98), np.array(1.1), np.array(0.2), push=0.1)
    assert low > -0.9
    assert high == pytest.approx(0.9 * (1.1 - 1))


def test_the_probability_of_value_is_that_of_the_simulation() -> None:
    rng = np.random.default_rng(6)
    fair, price, error = np.array(0.55), np.array(1.9), np.array(0.02)
    simulated = (rng.normal(fair, error, 200_000) > 1 / price).mean()
    assert float(probability_of_value(fair, price, error)) == pytest.approx(simulated, abs=0.005)
    assert probability_of_value(fair, np.array([1.9, 1.7]), np.array(0.0)).tolist() == [1.0, 0.0]


def test_an_error_of_log_odds_is_one_of_probability() -> None:
    p, h = np.array(0.3), 1e-6
    odds = np.log(p / (1 - p))
    slope = (1 / (1 + np.exp(-(odds + h))) - p) / h
    assert float(probability_standard_error(p, np.array(0.1))) == pytest.approx(0.1 * float(slope), rel=1e-4)


@pytest.mark.parametrize(
    ("sides", "width"), [((-110, -110), 20), ((-120, 110), 10), ((100, 100), 0), ((-105, 110), -5), ((150, -180), 30)]
)
def test_the_width_of_a_market_in_cents(sides: tuple[int, int], width: float) -> None:
    prices = to_decimal(np.array(sides, np.float64), OddsFormat.AMERICAN)
    assert float(market_width(prices)) == pytest.approx(width)


def test_a_width_is_between_two_sides() -> None:
    with pytest.raises(ValueError, match="exactly two sides, got 3"):
        market_width(np.full((4, 3), 2.0))
    assert np.isnan(market_width(np.array([1.0, 2.0])))


def test_the_hold_is_what_a_book_keeps() -> None:
    """Stakes in proportion to 1 / price pay out the same on every outcome; the rest is the hold."""
    prices = np.array([1.8, 4.0, 6.0])
    stakes = 1 / prices
    assert float(hold(prices)) == pytest.approx((stakes.sum() - 1) / stakes.sum())


def test_bets_rank_by_the_lower_end() -> None:
    low = np.array([0.01, NAN, 0.03, 0.01, -0.2])
    assert rank_by_value(low).tolist() == [2, 0, 3, 4]
    assert rank_by_value(low, top=2).tolist() == [2, 0]
