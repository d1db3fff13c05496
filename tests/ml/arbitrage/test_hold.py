from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given

from ml.arbitrage import NO_BOOK, low_hold, rank_by_hold
from tests.support.price_strategies import NAN, feeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def test_two_books_together_hold_less_than_either() -> None:
    found = low_hold(np.array([[[2.0, 1.85], [1.87, 1.98]]]))
    assert found.combined[0] == pytest.approx(1 - 1 / (1 / 2.0 + 1 / 1.98))
    np.testing.assert_allclose(found.by_book, [[1 - 1 / (1 / 2.0 + 1 / 1.85), 1 - 1 / (1 / 1.87 + 1 / 1.98)]])
    assert found.lowest_book.tolist() == [1]


@given(feeds())
def test_the_combined_hold_is_the_lowest(feed: tuple[Array, Array]) -> None:
    prices, weights = feed
    found = low_hold(prices, excluded=weights > 2, commission=weights / 100)
    lowest = np.fmin.reduce(found.by_book, axis=1)
    assert not (found.combined > lowest + 1e-9).any()
    for own, book in zip(found.by_book, found.lowest_book, strict=True):
        assert (book == NO_BOOK) == np.isnan(own).all()
        assert book == NO_BOOK or own[book] == np.fmin.reduce(own)


def test_ranking() -> None:
    combined = np.array([0.02, NAN, -0.01, 0.02, 0.0])
    assert rank_by_hold(combined).tolist() == [2, 4, 0, 3]
    assert rank_by_hold(combined, top=2).tolist() == [2, 4]
