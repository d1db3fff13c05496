"""Pricing equals the scorer's valuation, whatever else is priced with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.warehouse.pricing import price_quotes
from ml.market import consensus, devig
from ml.quotes import UNKNOWN_TIME, Market, Outcome
from ml.scoring import BookProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT = 1_762_776_000_000_000
PRICES = np.array([[1.9, 2.0], [1.95, 1.95], [2.05, 1.85], [1.87, 2.02], [5.5, 1.1]])


def quotes(prices: NDArray[np.float64], confirmed: int = AT - 1_000_000) -> dict[str, NDArray[Any]]:
    """One head-to-head line: prices by book and side."""
    books, sides = (grid.ravel() for grid in np.indices(prices.shape))
    n = prices.size
    return {
        "event_id": np.ones(n, np.int32),
        "decision_point_id": np.zeros(n, np.int16),
        "market_id": np.full(n, Market.H2H, np.int16),
        "line_point": np.zeros(n, np.float32),
        "outcome_id": np.array([Outcome.HOME, Outcome.AWAY], np.int32)[sides],
        "book_id": books.astype(np.int16),
        "price_decimal": prices.ravel(),
        "confirmed_at": np.full(n, confirmed),
    }


def priced_at(columns: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> tuple[dict[str, NDArray[Any]], ...]:
    """The prices of an NFL event, with books without a profile."""
    return price_quotes(columns, at, np.full(len(at), "americanfootball_nfl"), lambda _: BookProfile())


def test_the_consensus_is_pooled_without_the_absurd_book() -> None:
    lines, priced = priced_at(quotes(PRICES), np.full(PRICES.size, AT))
    expected = consensus(PRICES[None, :4], np.ones((1, 4))).probability[0]
    np.testing.assert_array_equal(lines["fair_probability"], expected)
    assert lines["books"].tolist() == [4, 4]
    np.testing.assert_array_equal(priced["book_probability"], devig(PRICES).probabilities.ravel())


def test_stale_books_count_only_if_too_few_are_fresh() -> None:
    stale = quotes(PRICES[:4]) | {"confirmed_at": np.repeat([AT, AT, AT, AT - 3_600_000_000], 2)}
    lines, _ = priced_at(stale, np.full(8, AT))
    assert lines["books"].tolist() == [4, 4]  # three fresh books are too few: all are pooled
    unknown, _ = priced_at(quotes(PRICES[:4], UNKNOWN_TIME), np.full(8, AT))
    assert unknown["books"].tolist() == [4, 4]


def test_a_book_with_one_side_has_no_probability_of_its_own() -> None:
    single = {name: column[:7] for name, column in quotes(PRICES[:4]).items()}
    _, priced = priced_at(single, np.full(7, AT))
    assert np.isnan(priced["book_probability"]).tolist() == [False] * 6 + [True]


def test_no_quotes_give_no_prices() -> None:
    none = {name: column[:0] for name, column in quotes(PRICES).items()}
    lines, priced = priced_at(none, np.empty(0, np.int64))
    assert len(lines["event_id"]) == len(priced["event_id"]) == 0
