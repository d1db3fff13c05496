"""Which single prices are quarantined, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store.quarantine import BEST, Verdict
from ml.market.palpable import LIKELY_ERROR, likely_error, palpable_features
from ml.medians import medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.quality.boards import Array, Board, Flags

    Verdicts = dict[int, Verdict]

MIN_OTHERS = 4
LEAST_EDGE = 0.05
"""With so many other books and such an edge `ml.market.palpable` was judged."""
LONGER = 1.05
"""An edge of .05 takes a price at least so much above the median of books with a margin."""
BAND = {2: (0.94, 1.30), 3: (0.92, 1.40)}
"""Of a book's implied probabilities, in sum, by number of outcomes."""
LEAST_OF_BEST = 0.9
"""Of the recorded best prices, in sum: 62 of 276,625 rows of football-data are below, 1.01 is usual."""
BELOW = 1.02
"""A recorded best price may be collected apart from the books' own; further below one of them it is none."""


def judge(board: Board) -> Verdicts:
    """Verdicts by index of the tick, on the ticks that are due.

    `palpable_price`: a book's error, by the other books at that moment. `overround`: a book's prices on all outcomes
    that cannot be right together. `best_price`: recorded as the best, but a book offers more, or so long that all
    outcomes together would be a gift.
    """
    found = _palpable(board)
    found |= _overround(board.without(list(found)).undecided())
    rest = board.without(list(found))
    return found if board.best is None else found | _gifts(rest, board.best) | _best_price(rest, board.best)


def booksum(price: Array) -> Array:
    """Implied probabilities in sum over the last axis; NaN where an outcome is missing."""
    total: Array = (1 / price).sum(axis=-1)
    return total


def out_of_band(board: Board) -> Flags:
    """Books (M, B) with all outcomes, whose sum is none that a book has."""
    low, high = BAND[board.price.shape[2]]
    total = booksum(board.price)
    outside: Flags = board.whole & ((total < low) | (total > high))
    return outside


def below_a_book(board: Board) -> tuple[Flags, Array]:
    """Recorded best prices (M, n) below a book's at the same moment, and the longest of the books then."""
    stated = np.where((board.tick >= 0) & (board.books != BEST)[:, None] & ~np.isnan(board.price), board.price, 0.0)
    longest: Array = stated.max(axis=1)
    if board.best is None:
        return np.zeros(longest.shape, np.bool_), longest
    below: Flags = board.due[:, board.best] & (board.price[:, board.best] * BELOW < longest)
    return below, longest


def _palpable(board: Board) -> Verdicts:
    cells = _candidates(board)
    price = board.price[cells]
    features = palpable_features(board.price, board.whole, cells)
    error = likely_error(features)
    edge = 1 / (1 + (price - 1) * np.exp(-features.distance)) - 1 / price
    wrong = np.flatnonzero((error >= LIKELY_ERROR) & (edge >= LEAST_EDGE))
    row, book, outcome = (cell[wrong] for cell in cells)
    others = board.whole[row]
    others[np.arange(len(row)), book] = False
    usual = np.where(others, board.price[row, :, outcome], np.nan)
    return {
        int(tick): Verdict(
            "palpable_price",
            f"{found:g} where {count} other books have a median of {median:g}: an error, at even odds, "
            f"with probability {probability:.2f}",
        )
        for tick, found, count, median, probability in zip(
            board.tick[row, book, outcome],
            price[wrong],
            others.sum(axis=1),
            medians(usual),
            error[wrong],
            strict=True,
        )
    }


def _candidates(board: Board) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """What stands out of enough other books."""
    others = board.whole.sum(axis=1)[:, None] - board.whole
    ordered = np.sort(np.where(board.whole[:, :, None], board.price, np.inf), axis=1)
    middle = np.maximum(board.whole.sum(axis=1) - 1, 0) // 2
    usual = ordered[np.arange(len(ordered)), middle]
    likely = board.due & (others >= MIN_OTHERS)[:, :, None]
    likely[likely] = (board.price > LONGER * usual[:, None])[likely]
    row, book, outcome = np.nonzero(likely)
    return row, book, outcome


def _overround(board: Board) -> Verdicts:
    low, high = BAND[board.price.shape[2]]
    total = booksum(board.price)
    row, book, outcome = np.nonzero(board.due & out_of_band(board)[:, :, None])
    return {
        int(tick): Verdict("overround", f"the book's prices imply {found:.3f} in sum, not {low} to {high}")
        for tick, found in zip(board.tick[row, book, outcome], total[row, book], strict=True)
    }


def _gifts(board: Board, best: int) -> Verdicts:
    total = booksum(board.price[:, best])
    row, outcome = np.nonzero(board.due[:, best] & ((total < LEAST_OF_BEST) & board.due[:, best].all(axis=1))[:, None])
    return {
        int(tick): Verdict("best_price", f"the recorded best prices imply {found:.3f} in sum: one of them is absurd")
        for tick, found in zip(board.tick[row, best, outcome], total[row], strict=True)
    }


def _best_price(board: Board, best: int) -> Verdicts:
    below, longest = below_a_book(board)
    row, outcome = np.nonzero(below)
    return {
        int(tick): Verdict("best_price", f"{found:g} is recorded as the best price, and a book offers {more:g}")
        for tick, found, more in zip(
            board.tick[row, best, outcome], board.price[row, best, outcome], longest[row, outcome], strict=True
        )
    }
