"""The verdict on every price when it was last valued, and the ages at that time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.arrays import nonzero_cells
from ml.scoring.confirmations import staleness_buckets
from ml.scoring.lines import OUTCOME_IDS
from ml.scoring.rules import NO_CANDIDATE, ONE_BOOK, OPEN, OUTLIER, is_alertable, is_alertable_arbitrage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arrays import Cells
    from ml.quotes import Micros
    from ml.scoring.alerts import AlertKey
    from ml.scoring.matrix import LineMatrix
    from ml.scoring.rules import ScoringRules

    Verdicts = NDArray[np.int8]


class VerdictChanges(NamedTuple):
    """Verdicts that changed: `cells` (outcome, line and book, or line only; (M,) each), `old` and `new` (M,)."""

    cells: Cells
    old: Verdicts
    new: Verdicts


class VerdictState:
    """As last valued: verdicts on prices (3, L, B) and arbitrages (L,), ages of ladders (K, B), started events (L,)."""

    def __init__(self, matrix: LineMatrix) -> None:
        self._matrix = matrix
        self._books = matrix.book_ids
        self._price: Verdicts = np.zeros(matrix.price.shape, np.int8)
        self._arbitrage: Verdicts = np.zeros(len(matrix.outcome_count), np.int8)
        self._has_verdict: NDArray[np.bool_] = np.zeros(len(matrix.outcome_count), np.bool_)
        self._bucket: NDArray[np.int8] = np.full(matrix.confirmed_at.shape, -1, np.int8)
        self._started: NDArray[np.bool_] = np.zeros(len(matrix.outcome_count), np.bool_)

    def resize(self) -> bool:
        """Grow to the size of the matrix; return whether there are new books."""
        matrix = self._matrix
        if self._price.shape == matrix.price.shape and self._bucket.shape == matrix.confirmed_at.shape:
            return False
        more = len(matrix.book_ids) > len(self._books)
        if more:
            where = np.searchsorted(self._books, np.setdiff1d(matrix.book_ids, self._books))
            self._price = np.insert(self._price, where, 0, axis=2)
            self._bucket = np.insert(self._bucket, where, -1, axis=1)
            self._books = matrix.book_ids
        self._price = _resize_array(self._price, matrix.price.shape)
        self._arbitrage = _resize_array(self._arbitrage, matrix.outcome_count.shape)
        self._started = _resize_array(self._started, matrix.outcome_count.shape)
        self._has_verdict = _resize_array(self._has_verdict, matrix.outcome_count.shape)
        self._bucket = _resize_array(self._bucket, matrix.confirmed_at.shape, -1)
        return more

    def update_ages(self, now: Micros, rules: ScoringRules) -> NDArray[np.bool_]:
        """Update ages and starts to `now`; return which rows (len(matrix),) time has affected since the last update."""
        used = slice(0, len(self._matrix))
        bucket = staleness_buckets(self._matrix.confirmed_at, now, rules)
        started = self._matrix.commence_at[used] <= now
        aged = np.zeros(len(bucket), np.bool_)
        aged[nonzero_cells(bucket != self._bucket)[0]] = True
        due: NDArray[np.bool_] = aged[self._matrix.ladder[used]] | (started != self._started[used])
        self._bucket, self._started[used] = bucket, started
        return due

    def has_verdict(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of `rows` (n,) have a verdict."""
        return self._has_verdict[rows]

    def update(
        self, rows: NDArray[np.intp], price: Verdicts, arbitrage: Verdicts
    ) -> tuple[VerdictChanges, VerdictChanges]:
        """Store new verdicts on prices (n, R, B) and arbitrages (R,) of `rows` (R,); return those that changed."""
        old, before = self._price[: len(price)].take(rows, axis=1), self._arbitrage[rows]
        outcome, line, book = cells = nonzero_cells(old != price)
        prices = VerdictChanges(cells, old[cells], price[cells])
        self._price[outcome, rows[line], book] = prices.new
        lines = (before != arbitrage).nonzero()
        arbitrages = VerdictChanges(lines, before[lines], arbitrage[lines])
        self._arbitrage[rows[lines]] = arbitrages.new
        self._has_verdict[rows] = (arbitrage != NO_CANDIDATE) | price.any(axis=(0, 2))
        return prices, arbitrages

    def reset_alerted(self) -> NDArray[np.intp]:
        """Clear all verdicts that have an alert; return the rows that had one."""
        alerted, alerted_arbitrages = is_alertable(self._price), is_alertable_arbitrage(self._arbitrage)
        rows = np.flatnonzero(alerted.any(axis=(0, 2)) | alerted_arbitrages)
        self._price[alerted] = NO_CANDIDATE
        self._arbitrage[alerted_arbitrages] = NO_CANDIDATE
        return rows

    def mark_alerted(self, row: int, key: AlertKey) -> None:
        """Record that `row` has the open alert of `key`."""
        self._has_verdict[row] = True
        if key.outcome is None:
            self._arbitrage[row] = OPEN if key.kind == "arbitrage" else ONE_BOOK
            return
        outcome = OUTCOME_IDS[key.market].index(key.outcome or 0)
        book = np.flatnonzero(self._books == key.book)
        self._price[outcome, row, book] = OPEN if key.kind == "value" else OUTLIER


def _resize_array(array: NDArray[Any], shape: tuple[int, ...], fill: int = 0) -> NDArray[Any]:
    if array.shape == shape:
        return array
    larger = np.full(shape, fill, array.dtype)
    larger[tuple(slice(0, n) for n in array.shape)] = array
    return larger
