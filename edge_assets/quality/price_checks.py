"""Which single prices are quarantined, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK, CheckVerdict
from ml.arrays import medians
from ml.market.palpable import LIKELY_ERROR_PROBABILITY, error_probability, palpable_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.quality.market_matrix import Array, Flags, MarketMatrix

    Verdicts = dict[int, CheckVerdict]

MIN_OTHER_BOOKS = 4
MIN_EDGE = 0.05
"""`ml.market.palpable` was evaluated with at least this many other books and this edge."""
MIN_PRICE_RATIO = 1.05
"""An edge of .05 requires a price at least this far above the median of books with a margin."""
BOOKSUM_RANGE = {2: (0.94, 1.30), 3: (0.92, 1.40)}
"""The usual booksum (sum of implied probabilities) of a book, by number of outcomes."""
MIN_BEST_BOOKSUM = 0.9
"""Booksum of the recorded best prices: 62 of 276,625 rows of football-data are below; 1.01 is usual."""
MAX_BOOK_TO_BEST_RATIO = 1.02
"""A recorded best price may be collected at another time than the books' own; below this it is wrong."""


def check_prices(matrix: MarketMatrix) -> Verdicts:
    """Verdicts on the due ticks, by tick index.

    `palpable_price`: a book's error, judging by the other books at that time. `overround`: a book's prices on all
    outcomes have an impossible booksum. `best_price`: recorded as the best, but a book offers more, or the best prices
    together have an impossible booksum.
    """
    verdicts = _check_palpable(matrix)
    verdicts |= _check_overround(matrix.without_ticks(list(verdicts)).without_decided_prices())
    remaining = matrix.without_ticks(list(verdicts))
    return (
        verdicts
        if matrix.best_column is None
        else verdicts
        | _check_best_booksum(remaining, matrix.best_column)
        | _check_best_price(remaining, matrix.best_column)
    )


def booksum(price: Array) -> Array:
    """The sum of implied probabilities over the last axis; NaN if an outcome is missing."""
    total: Array = (1 / price).sum(axis=-1)
    return total


def booksum_out_of_range(matrix: MarketMatrix) -> Flags:
    """Books (M, B) with all outcomes whose booksum is out of range."""
    low, high = BOOKSUM_RANGE[matrix.price.shape[2]]
    total = booksum(matrix.price)
    outside: Flags = matrix.is_complete & ((total < low) | (total > high))
    return outside


def best_price_below_books(matrix: MarketMatrix) -> tuple[Flags, Array]:
    """Recorded best prices (M, n) below a book's at the same time, and the longest price of the books then."""
    stated = np.where(
        (matrix.tick >= 0) & (matrix.books != BEST_PRICE_BOOK)[:, None] & ~np.isnan(matrix.price), matrix.price, 0.0
    )
    longest: Array = stated.max(axis=1)
    if matrix.best_column is None:
        return np.zeros(longest.shape, np.bool_), longest
    below: Flags = matrix.is_due[:, matrix.best_column] & (
        matrix.price[:, matrix.best_column] * MAX_BOOK_TO_BEST_RATIO < longest
    )
    return below, longest


def _check_palpable(matrix: MarketMatrix) -> Verdicts:
    cells = _find_outliers(matrix)
    price = matrix.price[cells]
    features = palpable_features(matrix.price, matrix.is_complete, cells)
    error = error_probability(features)
    edge = 1 / (1 + (price - 1) * np.exp(-features.distance)) - 1 / price
    wrong = np.flatnonzero((error >= LIKELY_ERROR_PROBABILITY) & (edge >= MIN_EDGE))
    row, book, outcome = (cell[wrong] for cell in cells)
    others = matrix.is_complete[row]
    others[np.arange(len(row)), book] = False
    other_prices = np.where(others, matrix.price[row, :, outcome], np.nan)
    return {
        int(tick): CheckVerdict(
            "palpable_price",
            f"{offered:g} where {count} other books have a median of {median:g}: an error, at even odds, "
            f"with probability {probability:.2f}",
        )
        for tick, offered, count, median, probability in zip(
            matrix.tick[row, book, outcome],
            price[wrong],
            others.sum(axis=1),
            medians(other_prices),
            error[wrong],
            strict=True,
        )
    }


def _find_outliers(matrix: MarketMatrix) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Prices far above the median of enough other books."""
    others = matrix.is_complete.sum(axis=1)[:, None] - matrix.is_complete
    ordered = np.sort(np.where(matrix.is_complete[:, :, None], matrix.price, np.inf), axis=1)
    middle = np.maximum(matrix.is_complete.sum(axis=1) - 1, 0) // 2
    median = ordered[np.arange(len(ordered)), middle]
    is_outlier = matrix.is_due & (others >= MIN_OTHER_BOOKS)[:, :, None]
    is_outlier[is_outlier] = (matrix.price > MIN_PRICE_RATIO * median[:, None])[is_outlier]
    row, book, outcome = np.nonzero(is_outlier)
    return row, book, outcome


def _check_overround(matrix: MarketMatrix) -> Verdicts:
    low, high = BOOKSUM_RANGE[matrix.price.shape[2]]
    total = booksum(matrix.price)
    row, book, outcome = np.nonzero(matrix.is_due & booksum_out_of_range(matrix)[:, :, None])
    return {
        int(tick): CheckVerdict("overround", f"the booksum is {found:.3f}, outside {low} to {high}")
        for tick, found in zip(matrix.tick[row, book, outcome], total[row, book], strict=True)
    }


def _check_best_booksum(matrix: MarketMatrix, best: int) -> Verdicts:
    total = booksum(matrix.price[:, best])
    row, outcome = np.nonzero(
        matrix.is_due[:, best] & ((total < MIN_BEST_BOOKSUM) & matrix.is_due[:, best].all(axis=1))[:, None]
    )
    return {
        int(tick): CheckVerdict(
            "best_price", f"the recorded best prices have a booksum of {found:.3f}: at least one is wrong"
        )
        for tick, found in zip(matrix.tick[row, best, outcome], total[row], strict=True)
    }


def _check_best_price(matrix: MarketMatrix, best: int) -> Verdicts:
    below, longest = best_price_below_books(matrix)
    row, outcome = np.nonzero(below)
    return {
        int(tick): CheckVerdict(
            "best_price", f"{found:g} is recorded as the best price, and a book offers {book_price:g}"
        )
        for tick, found, book_price in zip(
            matrix.tick[row, best, outcome], matrix.price[row, best, outcome], longest[row, outcome], strict=True
        )
    }
