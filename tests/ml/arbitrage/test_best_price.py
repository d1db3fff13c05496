from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given

from ml.arbitrage import NO_BOOK, find_arbitrage
from tests.support.price_strategies import NAN, feeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def test_two_books_that_disagree() -> None:
    sure = find_arbitrage(np.array([[[2.10, 1.80], [1.85, 2.05], [NAN, NAN]]]))
    assert sure.price.tolist() == [[2.10, 2.05]]
    assert sure.book.tolist() == [[0, 1]]
    assert sure.margin[0] == pytest.approx(1 - 1 / 2.10 - 1 / 2.05)
    assert sure.guaranteed_return[0] == pytest.approx(2.10 * 2.05 / 4.15 - 1)
    np.testing.assert_allclose(sure.stake_fraction, [[2.05 / 4.15, 2.10 / 4.15]])


def test_three_ways() -> None:
    sure = find_arbitrage(np.array([[[2.6, 3.0, 3.2], [2.4, 3.6, 3.1], [2.5, 3.3, 3.4]]]))
    assert sure.book.tolist() == [[0, 1, 2]]
    assert sure.guaranteed_return[0] == pytest.approx(1 / (1 / 2.6 + 1 / 3.6 + 1 / 3.4) - 1)


@given(feeds())
def test_every_outcome_pays_the_guaranteed_return(feed: tuple[Array, Array]) -> None:
    prices, _ = feed
    sure = find_arbitrage(prices)
    whole = ~np.isnan(sure.price).any(axis=1)
    np.testing.assert_array_equal(whole, ~np.isnan(sure.margin))
    payout = (sure.stake_fraction * sure.price)[whole]
    np.testing.assert_allclose(payout, np.repeat(1 + sure.guaranteed_return[whole, None], prices.shape[2], 1))
    np.testing.assert_allclose(sure.stake_fraction[whole].sum(axis=1), 1)
    np.testing.assert_array_equal(sure.margin[whole] > 0, sure.guaranteed_return[whole] > 0)


@given(feeds())
def test_the_best_price_is_that_of_its_book(feed: tuple[Array, Array]) -> None:
    prices, _ = feed
    sure = find_arbitrage(prices)
    sound = np.where((prices > 1) & np.isfinite(prices), prices, 0)
    for line, book, outcome in np.ndindex(prices.shape):
        best = sure.price[line, outcome]
        assert sound[line, book, outcome] <= (best if sure.book[line, outcome] != NO_BOOK else 0)
        if book == sure.book[line, outcome]:
            assert prices[line, book, outcome] == best


@given(feeds())
def test_lines_are_independent(feed: tuple[Array, Array]) -> None:
    prices, _ = feed
    together = find_arbitrage(prices)
    for i in range(len(prices)):
        alone = find_arbitrage(prices[i : i + 1])
        np.testing.assert_array_equal(alone.stake_fraction[0], together.stake_fraction[i])
        np.testing.assert_array_equal(alone.margin[0], together.margin[i])


def test_rounded_complements_are_not_an_arbitrage() -> None:
    american = np.arange(100, 2001)
    sure = find_arbitrage(np.stack([1 + american / 100, 1 + 100 / american], axis=1)[:, None, :])
    assert not sure.margin.any()
    assert not sure.guaranteed_return.any()


def test_excluded_books() -> None:
    prices = np.array([[[2.2, 1.8], [2.1, 2.0], [2.0, 1.9]]] * 2)
    assert find_arbitrage(prices, np.array([True, False, False])).book.tolist() == [[1, 1], [1, 1]]
    by_line = np.array([[True, False, False], [False, True, False]])
    assert find_arbitrage(prices, by_line).book.tolist() == [[1, 1], [0, 2]]
    assert prices[0, 0, 0] == 2.2


def test_equal_prices_go_to_the_first_book() -> None:
    assert find_arbitrage(np.array([[[2.1, 1.9], [2.1, 1.9]]])).book.tolist() == [[0, 0]]


@pytest.mark.parametrize("junk", [NAN, np.inf, 1.0, 0.0, -2147483648.0])
def test_impossible_prices_are_not_offers(junk: float) -> None:
    sure = find_arbitrage(np.array([[[2.1, junk], [2.0, junk]]]))
    assert sure.book.tolist() == [[0, NO_BOOK]]
    assert np.isnan(sure.price[0, 1])
    assert np.isnan(sure.margin[0])
    assert np.isnan(sure.guaranteed_return[0])
    assert np.isnan(sure.stake_fraction).all()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3)])
def test_nothing_on_offer(shape: tuple[int, int, int]) -> None:
    sure = find_arbitrage(np.empty(shape))
    assert sure.price.shape == (shape[0], shape[2])
    assert (sure.book == NO_BOOK).all()
    assert np.isnan(sure.margin).all()


def test_commission_decides_which_price_is_best() -> None:
    prices = np.array([[[2.20, 1.80], [2.15, 2.10]]])
    sure = find_arbitrage(prices, commission=np.array([0.05, 0.0]))
    assert sure.book.tolist() == [[1, 1]]
    assert sure.price.tolist() == [[2.15, 2.10]]
    kept = find_arbitrage(prices, commission=np.array([[0.02, 0.0]]))
    assert kept.book.tolist() == [[0, 1]]
    assert kept.price[0, 0] == 2.20
    assert kept.net_price[0, 0] == pytest.approx(1 + 1.2 * 0.98)
    assert kept.guaranteed_return[0] == pytest.approx(1 / (1 / 2.176 + 1 / 2.1) - 1)


@given(feeds())
def test_no_commission_changes_nothing_and_commission_never_helps(feed: tuple[Array, Array]) -> None:
    prices, weights = feed
    free = find_arbitrage(prices)
    np.testing.assert_allclose(find_arbitrage(prices, commission=0 * weights).margin, free.margin, atol=1e-12)
    charged = find_arbitrage(prices, commission=weights / 50).margin
    assert not (charged > free.margin + 1e-12).any()
