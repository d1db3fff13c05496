from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.market import PLAIN_METHODS, DevigMethod, DevigStatus, consensus, devig
from tests.ml.market.markets import NAN, feeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MULTIPLICATIVE, ADDITIVE, POWER, SHIN = PLAIN_METHODS
WORST = DevigMethod.WORST_CASE
every = pytest.mark.parametrize("method", list(DevigMethod))
FIELDS = ("probability", "books", "method_spread", "dispersion", "deviation")


def logit(p: Array) -> Array:
    return np.log(p / (1 - p))


def naive(prices: Array, weights: Array, method: DevigMethod) -> list[float]:
    """One line's consensus, as the words define it."""
    n = prices.shape[1]
    logs, total = np.zeros(n), 0.0
    for book, weight in zip(prices, weights, strict=True):
        fair = devig(book, method)
        if fair.status == DevigStatus.OK and weight > 0:
            logs += weight * np.log(fair.probabilities)
            total += weight
    if not total:
        return [NAN] * n
    pooled = np.exp(logs / total)
    return list(pooled / pooled.sum())


@pytest.mark.parametrize("method", PLAIN_METHODS)
@given(feed=feeds())
def test_it_is_the_weighted_mean_of_fair_logs(method: DevigMethod, feed: tuple[Array, Array]) -> None:
    prices, weights = feed
    expected = [naive(*line, method) for line in zip(prices, weights, strict=True)]
    ours = consensus(prices, weights, method)
    np.testing.assert_allclose(ours.probability, expected, atol=1e-12)
    pooled = (devig(prices, method).status == DevigStatus.OK) & (weights > 0)
    np.testing.assert_array_equal(ours.books, pooled.sum(axis=1))


def test_for_two_outcomes_it_is_the_mean_of_fair_log_odds() -> None:
    prices = np.array([[[1.9, 1.95], [2.1, 1.8], [2.0, 1.9]]])
    fair = devig(prices, MULTIPLICATIVE).probabilities
    expected = (logit(fair[0, :, 0]) * [1, 2, 3]).sum() / 6
    ours = consensus(prices, np.array([[1.0, 2.0, 3.0]]), MULTIPLICATIVE)
    assert logit(ours.probability[0, 0]) == pytest.approx(expected, abs=1e-14)


@every
def test_books_that_agree_are_the_consensus(method: DevigMethod) -> None:
    book = [2.6, 2.4, 4.3]
    ours = consensus(np.array([[book] * 5]), np.ones((1, 5)), method)
    np.testing.assert_allclose(ours.probability[0], devig(np.array(book), method).probabilities, atol=1e-15)
    assert ours.books.tolist() == [5]
    assert ours.dispersion[0] == pytest.approx(0, abs=1e-7)
    np.testing.assert_allclose(ours.deviation, 0, atol=1e-14)


@every
@given(feed=feeds())
def test_a_line_does_not_see_its_neighbours(method: DevigMethod, feed: tuple[Array, Array]) -> None:
    together = consensus(*feed, method)
    for i in range(len(feed[0])):
        alone = consensus(feed[0][i : i + 1], feed[1][i : i + 1], method)
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(alone, field)[0], getattr(together, field)[i], err_msg=field)


@every
@given(feed=feeds(), at=st.integers(0, 9))
def test_a_book_without_prices_changes_no_bit(method: DevigMethod, feed: tuple[Array, Array], at: int) -> None:
    prices, weights = feed
    at = min(at, prices.shape[1])
    without = consensus(prices, weights, method)
    padded = consensus(np.insert(prices, at, NAN, axis=1), np.insert(weights, at, 1.0, axis=1), method)
    for field in FIELDS[:-1]:
        np.testing.assert_array_equal(getattr(without, field), getattr(padded, field), err_msg=field)
    np.testing.assert_array_equal(np.delete(padded.deviation, at, axis=1), without.deviation)


@given(feed=feeds(), data=st.data())
def test_the_order_of_books_and_of_outcomes_does_not_matter(feed: tuple[Array, Array], data: st.DataObject) -> None:
    prices, weights = feed
    prices = np.where((prices > 1) & ((prices < 1.005) | (prices > 1e3)), NAN, prices)  # ill-conditioned
    books = data.draw(st.permutations(range(prices.shape[1])))
    outcomes = data.draw(st.permutations(range(prices.shape[2])))
    ours, theirs = consensus(prices, weights), consensus(prices[:, books][..., outcomes], weights[:, books])
    np.testing.assert_allclose(theirs.probability, ours.probability[:, outcomes], rtol=1e-12)
    np.testing.assert_allclose(theirs.method_spread, ours.method_spread[:, outcomes], atol=1e-12)
    np.testing.assert_allclose(theirs.deviation, ours.deviation[:, books], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(theirs.dispersion, ours.dispersion, rtol=1e-6, atol=1e-6)


@every
@given(feed=feeds(), data=st.data())
def test_the_order_of_books_changes_no_bit(method: DevigMethod, feed: tuple[Array, Array], data: st.DataObject) -> None:
    """A restart may list the books in another order, and must not move an alert by that."""
    prices, weights = feed
    books = data.draw(st.permutations(range(prices.shape[1])))
    ours, theirs = consensus(prices, weights, method), consensus(prices[:, books], weights[:, books], method)
    for field in FIELDS[:-1]:
        np.testing.assert_array_equal(getattr(theirs, field), getattr(ours, field), err_msg=field)
    np.testing.assert_array_equal(theirs.deviation, ours.deviation[:, books])


@given(feed=feeds(), scale=st.sampled_from([0.5, 4.0]))
def test_only_the_proportions_of_weights_matter(feed: tuple[Array, Array], scale: float) -> None:
    prices, weights = feed
    ours, theirs = consensus(prices, weights), consensus(prices, scale * weights)
    np.testing.assert_array_equal(ours.probability, theirs.probability)


def test_the_method_spread_is_that_of_the_four_consensuses() -> None:
    rng = np.random.default_rng(3)
    prices = 1 / (rng.dirichlet([6, 4, 3], (20, 7)) * 1.06)
    weights = rng.uniform(0.5, 2, (20, 7))
    defined = (devig(prices, ADDITIVE).status == DevigStatus.OK).all(axis=1)
    pools = np.array([consensus(prices, weights, m).probability for m in PLAIN_METHODS])
    expected = pools.max(axis=0) - pools.min(axis=0)
    for method in DevigMethod:
        ours = consensus(prices, weights, method)
        np.testing.assert_allclose(ours.method_spread[defined], expected[defined], atol=1e-15)


def test_a_method_that_is_not_defined_for_every_pooled_book_leaves_the_spread() -> None:
    """Else the spread would compare pools of different books."""
    prices = np.array([[[1.9, 1.95, 30.0]] * 3 + [[2.2, 2.3, 31.0]]])
    ours = consensus(prices, np.ones((1, 4)), POWER)
    pools = np.array([consensus(prices, np.ones((1, 4)), m).probability[0] for m in (MULTIPLICATIVE, ADDITIVE, POWER)])
    assert devig(prices[0, 3], SHIN).status == DevigStatus.UNDERROUND
    assert ours.books.tolist() == [4]
    np.testing.assert_array_equal(ours.method_spread[0], np.ptp(pools, axis=0))


def test_worst_case_is_the_lowest_consensus_and_no_distribution() -> None:
    prices = np.array([[[1.5, 4.2, 7.0], [1.52, 4.0, 7.5], [1.48, 4.4, 6.8]]])
    weights = np.ones((1, 3))
    worst = consensus(prices, weights, WORST)
    pools = np.array([consensus(prices, weights, m).probability[0] for m in PLAIN_METHODS])
    np.testing.assert_array_equal(worst.probability[0], pools.min(axis=0))
    assert worst.probability.sum() < 1


def test_the_median_resists_an_absurd_book() -> None:
    """A best price three times the others': the mean gives way, the deviation points at the culprit."""
    prices = np.array([[[1.85, 2.0], [1.87, 1.98], [1.84, 2.02], [1.86, 2.0], [5.5, 2.0]]])
    ours = consensus(prices, np.ones((1, 5)))
    assert ours.deviation[0, 4] > 0.6
    assert (ours.deviation[0, :4] < 0.03).all()


def test_the_median_goes_by_weight_and_takes_the_middle_of_a_tie() -> None:
    fair = np.array([0.4, 0.5, 0.55, 0.6])
    prices = 1 / np.stack([fair, 1 - fair], axis=1)[None]
    even = consensus(prices, np.ones((1, 4)), MULTIPLICATIVE).deviation[0]
    np.testing.assert_allclose(even, np.abs(logit(fair) - logit(fair[1:3]).mean()), atol=1e-14)
    heavy = consensus(prices, np.array([[1.0, 1.0, 1.0, 3.5]]), MULTIPLICATIVE).deviation[0]
    np.testing.assert_allclose(heavy, np.abs(logit(fair) - logit(fair[3])), atol=1e-14)
    tenths = consensus(prices, np.array([[0.1, 0.2, 0.1, 0.2]]), MULTIPLICATIVE).deviation[0]
    np.testing.assert_allclose(tenths, np.abs(logit(fair) - logit(fair[1:3]).mean()), atol=1e-14)


def test_a_book_of_weight_zero_is_measured_but_not_pooled() -> None:
    prices = np.array([[[1.9, 1.9], [1.9, 1.9], [2.6, 1.5]]])
    ours = consensus(prices, np.array([[1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(ours.probability, 0.5, atol=1e-15)
    assert ours.books.tolist() == [2]
    assert ours.deviation[0, 2] == pytest.approx(abs(logit(devig(prices[0, 2]).probabilities[0])))


@every
def test_without_a_usable_book_there_is_no_estimate(method: DevigMethod) -> None:
    prices = np.array([[[1.9, NAN], [1.0, 2.0], [1.9, 1.9]]])
    ours = consensus(prices, np.array([[1.0, 1.0, 0.0]]), method)
    assert ours.books.tolist() == [0]
    assert np.isnan(ours.probability).all()
    assert np.isnan(ours.method_spread).all()
    assert np.isnan(ours.dispersion).all()
    assert np.isnan(ours.deviation).all()


def test_more_lines_than_are_worked_on_at_once() -> None:
    prices = 1 / (np.random.default_rng(5).dirichlet([5, 4], (3000, 20)) * 1.05)
    whole, half = consensus(prices, np.ones((3000, 20))), consensus(prices[1500:], np.ones((1500, 20)))
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(whole, field)[1500:], getattr(half, field), err_msg=field)


@every
@pytest.mark.parametrize("shape", [(0, 4, 2), (3, 0, 3), (0, 0, 2)])
def test_nothing_to_pool(method: DevigMethod, shape: tuple[int, int, int]) -> None:
    ours = consensus(np.empty(shape), np.empty(shape[:2]), method)
    assert ours.probability.shape == (shape[0], shape[2])
    assert ours.deviation.shape == shape[:2]
    assert not ours.books.any()


@pytest.mark.parametrize("weight", [-1.0, NAN])
def test_weights_are_zero_or_more(weight: float) -> None:
    with pytest.raises(ValueError, match="zero or positive"):
        consensus(np.full((1, 1, 2), 1.9), np.array([[weight]]))


def test_without_the_spread_everything_else_is_the_same() -> None:
    prices = np.array([[[1.9, 2.0], [1.95, 1.95], [1.85, 2.1]]])
    whole, bare = consensus(prices, np.ones((1, 3))), consensus(prices, np.ones((1, 3)), spread=False)
    assert np.isnan(bare.method_spread).all()
    assert not np.isnan(whole.method_spread).any()
    for name in ("probability", "books", "dispersion", "deviation"):
        assert np.array_equal(getattr(bare, name), getattr(whole, name))
