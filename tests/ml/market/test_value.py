from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.market import confidence, edge, expected_value
from tests.ml.market.markets import NAN

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


def test_confidence_is_unknown_where_its_grounds_are() -> None:
    for arguments in [(4, NAN, 0.0, 0.0), (4, 0.0, NAN, 0.0), (4, 0.0, 0.0, NAN)]:
        assert np.isnan(score(*arguments))
