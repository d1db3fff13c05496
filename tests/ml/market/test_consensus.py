from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.market import (
    PLAIN_METHODS,
    DevigMethod,
    DevigStatus,
    add_method_uncertainty,
    consensus,
    devig,
    freshness_weight,
    group_clones,
    liquidity_weight,
    merge_clones,
    pool,
)
from ml.market.pooling import BOOK_NOISE_LOG_ODDS, COMMON_VARIANCE_RATIO, OUTLIER_LOG_ODDS
from tests.support.price_strategies import NAN, feeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MULTIPLICATIVE, ADDITIVE, POWER, SHIN = PLAIN_METHODS
WORST = DevigMethod.WORST_CASE
every = pytest.mark.parametrize("method", list(DevigMethod))
FIELDS = ("probability", "log_odds_error", "books", "method_spread", "dispersion", "outlying_books")


def logit(p: Array) -> Array:
    return np.log(p / (1 - p))


def naive(prices: Array, weights: Array, method: DevigMethod) -> list[float]:
    """One line's consensus, as the words define it, among books that are near each other."""
    n = prices.shape[1]
    odds, total = np.zeros(n), 0.0
    for book, weight in zip(prices, weights, strict=True):
        fair = devig(book, method)
        if fair.status == DevigStatus.OK and weight > 0:
            odds += weight * logit(fair.probabilities)
            total += weight
    if not total:
        return [NAN] * n
    pooled = 1 / (1 + np.exp(-odds / total))
    return list(pooled / pooled.sum())


@pytest.mark.parametrize("method", PLAIN_METHODS)
@given(feed=feeds())
def test_the_consensus_is_the_weighted_mean_of_fair_log_odds(method: DevigMethod, feed: tuple[Array, Array]) -> None:
    prices, weights = feed
    ours = consensus(prices, weights, method)
    near = np.where(ours.outlying_books, 0.0, weights)
    expected = [naive(*line, method) for line in zip(prices, near, strict=True)]
    np.testing.assert_allclose(ours.probability, expected, atol=1e-12)
    pooled = (devig(prices, method).status == DevigStatus.OK) & (near > 0)
    np.testing.assert_array_equal(ours.books, pooled.sum(axis=1))


def test_for_two_outcomes_the_consensus_is_the_mean_of_fair_log_odds() -> None:
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
    assert not ours.outlying_books.any()


@every
@given(feed=feeds())
def test_lines_are_independent(method: DevigMethod, feed: tuple[Array, Array]) -> None:
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
    np.testing.assert_array_equal(np.delete(padded.outlying_books, at, axis=1), without.outlying_books)


@given(feed=feeds(), data=st.data())
def test_the_order_of_books_and_of_outcomes_does_not_matter(feed: tuple[Array, Array], data: st.DataObject) -> None:
    prices, weights = feed
    prices = np.where((prices > 1) & ((prices < 1.005) | (prices > 1e3)), NAN, prices)  # ill-conditioned
    books = data.draw(st.permutations(range(prices.shape[1])))
    outcomes = data.draw(st.permutations(range(prices.shape[2])))
    ours, theirs = consensus(prices, weights), consensus(prices[:, books][..., outcomes], weights[:, books])
    np.testing.assert_allclose(theirs.probability, ours.probability[:, outcomes], rtol=1e-12)
    np.testing.assert_allclose(theirs.method_spread, ours.method_spread[:, outcomes], atol=1e-12)
    np.testing.assert_allclose(theirs.outlying_books, ours.outlying_books[:, books], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(theirs.dispersion, ours.dispersion, rtol=1e-6, atol=1e-6)


@given(feed=feeds(), scale=st.sampled_from([0.5, 4.0]))
def test_only_the_proportions_of_weights_matter(feed: tuple[Array, Array], scale: float) -> None:
    prices, weights = feed
    ours, theirs = consensus(prices, weights), consensus(prices, scale * weights)
    np.testing.assert_array_equal(ours.probability, theirs.probability)


def test_the_method_spread_is_that_of_the_four_consensuses() -> None:
    rng = np.random.default_rng(3)
    # books that agree so far that every method pools the same ones
    fair = rng.dirichlet([6, 4, 3], (20, 1)) * np.exp(rng.normal(0, 0.05, (20, 7, 3)))
    prices = 1 / (fair / fair.sum(axis=-1, keepdims=True) * 1.06)
    weights = rng.uniform(0.5, 2, (20, 7))
    defined = (devig(prices, ADDITIVE).status == DevigStatus.OK).all(axis=1)
    pools = np.array([consensus(prices, weights, m).probability for m in PLAIN_METHODS])
    expected = pools.max(axis=0) - pools.min(axis=0)
    for method in DevigMethod:
        ours = consensus(prices, weights, method)
        np.testing.assert_allclose(ours.method_spread[defined], expected[defined], atol=1e-15)


def test_a_method_that_is_not_defined_for_every_pooled_book_leaves_the_spread() -> None:
    """Else the spread would compare pools of different books."""
    prices = np.array([[[1.95, 2.0, 14.0]] * 3 + [[2.15, 2.2, 15.0]]])
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


def test_an_absurd_book_changes_nothing() -> None:
    """A best price three times the others': it is named, and the estimate is that of the others."""
    sane = [[1.85, 2.0], [1.87, 1.98], [1.84, 2.02], [1.86, 2.0]]
    for absurd in ([5.5, 1.15], [1.02, 30.0]):
        ours = consensus(np.array([[*sane, absurd]]), np.array([[1.0, 1.0, 1.0, 1.0, 50.0]]))
        theirs = consensus(np.array([sane]), np.ones((1, 4)))
        assert ours.outlying_books[0].tolist() == [False] * 4 + [True]
        np.testing.assert_array_equal(ours.probability, theirs.probability)


@given(
    st.floats(0.1, 0.9),
    st.lists(st.floats(-0.2, 0.2), min_size=4, max_size=12),
    st.floats(0.01, 0.99),
    st.data(),
)
def test_no_single_book_decides(p: float, noise: list[float], absurd: float, data: st.DataObject) -> None:
    weights = np.array(data.draw(st.lists(st.floats(0.5, 5), min_size=len(noise) + 1, max_size=len(noise) + 1)))
    odds = np.append(logit(np.array(p)) + np.array(noise), logit(np.array(absurd)))
    market = pool(np.stack([odds, -odds])[:, None, :], weights[None])
    assert abs(float(logit(market.probability[0, 0])) - float(logit(np.array(p)))) <= 0.2 + OUTLIER_LOG_ODDS


def test_a_book_of_weight_zero_is_checked_but_not_pooled() -> None:
    prices = np.array([[[1.9, 1.9], [1.9, 1.9], [3.6, 1.3]]])
    ours = consensus(prices, np.array([[1.0, 1.0, 0.0]]))
    np.testing.assert_allclose(ours.probability, 0.5, atol=1e-15)
    assert ours.books.tolist() == [2]
    assert ours.outlying_books[0].tolist() == [False, False, True]


def test_clones_count_once() -> None:
    prices = np.array([[[1.9, 2.0], [2.0, 1.9], [2.0, 1.9], [2.0, 1.9]]])
    once = consensus(prices[:, :2], np.ones((1, 2)))
    ours = consensus(prices, np.ones((1, 4)), groups=group_clones(["a", "b", "b", "b"]))
    np.testing.assert_allclose(ours.probability, once.probability, atol=1e-15)
    np.testing.assert_allclose(ours.log_odds_error, once.log_odds_error, rtol=1e-12)
    assert ours.books.tolist() == [2]


def test_the_heaviest_clone_gives_the_weight_and_a_missing_one_none() -> None:
    weight, sources, squares = merge_clones(
        np.array([[1.0, 3.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0]]), [np.array([1, 2, 3])]
    )
    np.testing.assert_allclose(weight, [[1.0, 2.25, 0.75, 0.0], [2.0, 0.0, 0.0, 0.0]])
    assert sources.tolist() == [2, 1]
    np.testing.assert_allclose(squares, [10.0, 4.0])


def test_the_standard_error_covers_the_truth() -> None:
    """Books with noise of their own and in common around a truth: the error stated is the error made."""
    rng = np.random.default_rng(11)
    for books in (3, 10, 40):
        truth = rng.normal(0, 0.7, 4000)
        shared = rng.normal(0, BOOK_NOISE_LOG_ODDS * np.sqrt(COMMON_VARIANCE_RATIO), 4000)
        odds = (truth + shared)[:, None] + rng.normal(0, BOOK_NOISE_LOG_ODDS, (4000, books))
        market = pool(np.stack([odds, -odds]), np.ones((4000, books)))
        z = (logit(market.probability[0]) - truth) / market.log_odds_error[0]
        assert 0.93 < z.std() < 1.07


def test_noisier_books_give_a_larger_error() -> None:
    rng = np.random.default_rng(12)
    for noise in (0.02, 0.08, 0.2):
        odds = rng.normal(0, noise, (4000, 15))
        market = pool(np.stack([odds, -odds]), np.ones((4000, 15)))
        made = logit(market.probability[0]).std()
        own = (1 / 15) / (1 / 15 + COMMON_VARIANCE_RATIO)  # the rest is common, and drawn by nobody here
        stated = np.sqrt((market.log_odds_error[0] ** 2 * own).mean())
        assert made == pytest.approx(stated, rel=0.25)


def test_an_opinions_own_variance_is_part_of_the_error() -> None:
    odds = np.zeros((2, 1, 4))
    plain, old = pool(odds, np.ones((1, 4))), pool(odds, np.ones((1, 4)), variance=np.full((1, 4), 0.04))
    np.testing.assert_allclose(old.log_odds_error**2 - plain.log_odds_error**2, 0.04 / 4)


def test_the_choice_of_the_method_is_part_of_the_error() -> None:
    """The power method gives this longshot the least, so the truth may be further away than from a middle method."""
    prices = np.array([[[1.08, 9.5], [1.07, 10.0], [1.08, 9.0]]])
    bare, whole = (consensus(prices, np.ones((1, 3)), with_method_spread=s) for s in (False, True))
    p = whole.probability[0, 1]
    added = whole.method_spread[0, 1] / (p * (1 - p)) / np.sqrt(3)
    np.testing.assert_allclose(whole.log_odds_error[0, 1] ** 2, bare.log_odds_error[0, 1] ** 2 + added**2)


@given(below=st.floats(0, 0.2), above=st.floats(0, 0.2))
def test_the_methods_add_the_mean_square_distance_to_anywhere_between_them(below: float, above: float) -> None:
    between = np.linspace(-below, above, 4001)
    [added] = add_method_uncertainty(np.zeros(1), np.full(1, 0.5), np.array([below]), np.array([above])) / 4
    assert added == pytest.approx(np.sqrt((between**2).mean()), rel=1e-3, abs=1e-12)


def test_freshness_falls_in_steps_and_a_thin_exchange_counts_less() -> None:
    assert freshness_weight(np.array([0.0, 60.0, 61.0, 300.0, 3600.0])).tolist() == [1.0, 1.0, 0.7, 0.7, 0.4]
    assert liquidity_weight(np.array([NAN, 0.0, 500.0, 1e9]), 500.0).tolist() == pytest.approx(
        [1.0, 0.0, 0.5, 1.0], abs=1e-6
    )


@every
def test_without_a_usable_book_there_is_no_estimate(method: DevigMethod) -> None:
    prices = np.array([[[1.9, NAN], [1.0, 2.0], [1.9, 1.9]]])
    ours = consensus(prices, np.array([[1.0, 1.0, 0.0]]), method)
    assert ours.books.tolist() == [0]
    assert np.isnan(ours.probability).all()
    assert np.isnan(ours.method_spread).all()
    assert np.isnan(ours.dispersion).all()
    assert np.isnan(ours.log_odds_error).all()


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
    assert ours.outlying_books.shape == shape[:2]
    assert not ours.books.any()


@pytest.mark.parametrize("weight", [-1.0, NAN])
def test_weights_are_zero_or_more(weight: float) -> None:
    with pytest.raises(ValueError, match="book weights must be non-negative"):
        consensus(np.full((1, 1, 2), 1.9), np.array([[weight]]))


def test_without_the_spread_everything_else_is_the_same() -> None:
    prices = np.array([[[1.9, 2.0], [1.95, 1.95], [1.85, 2.1]]])
    whole, bare = consensus(prices, np.ones((1, 3))), consensus(prices, np.ones((1, 3)), with_method_spread=False)
    assert np.isnan(bare.method_spread).all()
    assert not np.isnan(whole.method_spread).any()
    for name in ("probability", "books", "dispersion", "outlying_books"):
        assert np.array_equal(getattr(bare, name), getattr(whole, name))
