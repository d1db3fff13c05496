from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_assets.models.quoted_market import quoted_market
from edge_assets.models.statistics import arrange_statistics
from edge_assets.store.models.statistics import EventStatistics
from ml.game_statistics import Statistic
from ml.quotes import Market
from ml.training.games import AVERAGE, BEST, Games, Quotes

HOUR = 3_600_000_000


def handicap_quotes(point: float, close_point: float, close: tuple[float, float]) -> Quotes:
    """One game: an average, a best price and Pinnacle at a handicap; bet365 at another."""
    books = np.array([AVERAGE, BEST, 1, 2], np.int32).reshape(-1)
    order = np.argsort(books)
    at = np.array([point, point, point, point + 0.25])
    price = np.array([[1.9, 1.92], [2.0, 1.98], [1.95, 1.97], [1.6, 2.3]])
    both = np.stack([at, -at], axis=1)
    closes = np.tile(np.array(close), (4, 1))
    close_points = np.tile(np.array([close_point, -close_point]), (4, 1))
    blocks = [block[order][None] for block in (price, both, closes, close_points)]
    seen = np.zeros((1, 4))
    return Quotes(Market.SPREADS, books[order], np.zeros(1, np.int64), blocks[0], blocks[1], seen, blocks[2], blocks[3])


NAMES = {1: "pinnacle", 2: "bet365"}


def test_a_book_at_another_point_has_no_price_on_the_line() -> None:
    market = quoted_market(handicap_quotes(-0.5, -0.5, (1.9, 2.0)), NAMES, "pinnacle", "soccer")
    assert market.point.tolist() == [-0.5]
    assert market.books == ("pinnacle", "bet365")
    assert np.isnan(market.price[0, 1]).all()
    assert market.best.tolist() == [[2.0, 1.98]]


def test_a_close_at_a_lower_handicap_is_translated_to_the_line() -> None:
    same, moved = (
        quoted_market(handicap_quotes(-0.5, close_point, (1.95, 1.95)), NAMES, "pinnacle", "soccer").reference_close
        for close_point in (-0.5, -0.75)
    )
    np.testing.assert_allclose(same, [[0.5, 0.5]], atol=1e-9)
    assert 0.53 < moved[0, 0] < 0.62, "even at -0.75: better than even at -0.5"
    np.testing.assert_allclose(moved.sum(), 1)


def test_without_a_reference_and_aggregates_the_books_themselves_are_averaged() -> None:
    quotes = handicap_quotes(-0.5, -0.5, (1.9, 2.0))
    named = quotes.books > 0
    alone = replace(
        quotes, books=quotes.books[named], price=quotes.price[:, named], point=quotes.point[:, named],
        seen=quotes.seen[:, named], close=quotes.close[:, named], close_point=quotes.close_point[:, named],
    )  # fmt: skip
    market = quoted_market(alone, NAMES, "nobody", "soccer")
    assert market.point.tolist() == [-0.5]
    np.testing.assert_allclose(market.average, [[1.95, 1.97]])
    assert market.best.tolist() == [[1.95, 1.97]]
    assert np.isnan(market.reference_close).all()
    assert 0.5 < market.average_close[0, 0] < 0.53


def test_an_impossible_best_price_is_left_out() -> None:
    quotes = handicap_quotes(-0.5, -0.5, (1.9, 2.0))
    best = quotes.books.tolist().index(BEST)
    quotes.price[0, best, 0] = 5.5
    market = quoted_market(quotes, NAMES, "pinnacle", "soccer")
    assert np.isnan(market.best[0, 0])


def test_statistics_come_with_the_time_from_which_they_were_known() -> None:
    blank = np.zeros(3, np.int32)
    never = np.iinfo(np.int64).max
    games = Games(
        np.array([7, 5, 9], np.int32), blank, blank, np.zeros(3, np.int64), blank, blank,
        np.ones((3, 2)), np.array([10 * HOUR, 20 * HOUR, never]),
    )  # fmt: skip
    known_at = np.array([11 * HOUR, 60 * HOUR, 30 * HOUR, 5 * HOUR])
    stored = EventStatistics(
        np.array([7, 5, 9, 1_000], np.int32), np.full(4, Statistic.SHOTS, np.int16),
        np.array([12, 13, 14, 15], np.int16), np.array([3, 4, 5, 6], np.int16), known_at,
    )  # fmt: skip
    found = arrange_statistics(stored, games)
    np.testing.assert_array_equal(found.counts["shots"], [[12, 3], [np.nan, np.nan], [np.nan, np.nan]])
    assert found.known_at.tolist() == [11 * HOUR, 20 * HOUR, never], "too late, and without a result"
    assert np.isnan(found.counts["corners"]).all()
