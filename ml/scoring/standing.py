"""What the rules said of every price when it was last valued, and how old everything was then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.scoring.ages import age_steps
from ml.scoring.cells import cells_where
from ml.scoring.lines import OUTCOME_IDS
from ml.scoring.rules import NOTHING, ONE_BOOK, OPEN, OUTLIER, tells, tells_arbitrage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import Micros
    from ml.scoring.alerts import AlertKey
    from ml.scoring.cells import Cells
    from ml.scoring.matrix import LineMatrix
    from ml.scoring.rules import ScoringRules

    Verdicts = NDArray[np.int8]


class Turned(NamedTuple):
    """Verdicts that changed: where (outcome, line and book, or line; (M,) each), `old` and `new` (M,)."""

    cells: Cells
    old: Verdicts
    new: Verdicts


class Standing:
    """Verdicts on prices (3, L, B) and on arbitrages (L,), ages of ladders (K, B), starts (L,), as of the last look."""

    def __init__(self, matrix: LineMatrix) -> None:
        self._matrix = matrix
        self._books = matrix.book_ids
        self._price: Verdicts = np.zeros(matrix.price.shape, np.int8)
        self._sure: Verdicts = np.zeros(len(matrix.width), np.int8)
        self._speaks: NDArray[np.bool_] = np.zeros(len(matrix.width), np.bool_)
        self._step: NDArray[np.int8] = np.full(matrix.times.shape, -1, np.int8)
        self._started: NDArray[np.bool_] = np.zeros(len(matrix.width), np.bool_)

    def follow(self) -> bool:
        """Grow as the matrix has; return whether there are new books."""
        matrix = self._matrix
        if self._price.shape == matrix.price.shape and self._step.shape == matrix.times.shape:
            return False
        more = len(matrix.book_ids) > len(self._books)
        if more:
            where = np.searchsorted(self._books, np.setdiff1d(matrix.book_ids, self._books))
            self._price = np.insert(self._price, where, 0, axis=2)
            self._step = np.insert(self._step, where, -1, axis=1)
            self._books = matrix.book_ids
        self._price = _enlarged(self._price, matrix.price.shape)
        self._sure = _enlarged(self._sure, matrix.width.shape)
        self._started = _enlarged(self._started, matrix.width.shape)
        self._speaks = _enlarged(self._speaks, matrix.width.shape)
        self._step = _enlarged(self._step, matrix.times.shape, -1)
        return more

    def aged(self, now: Micros, rules: ScoringRules) -> NDArray[np.bool_]:
        """The rows (len(matrix),) on which time has had an effect since the last look, which this one becomes."""
        used = slice(0, len(self._matrix))
        step = age_steps(self._matrix.times, now, rules)
        started = self._matrix.start[used] <= now
        ladders = np.zeros(len(step), np.bool_)
        ladders[cells_where(step != self._step)[0]] = True
        due: NDArray[np.bool_] = ladders[self._matrix.ladder[used]] | (started != self._started[used])
        self._step, self._started[used] = step, started
        return due

    def speaks(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """On which of `rows` (n,) there is a verdict."""
        return self._speaks[rows]

    def settle(self, rows: NDArray[np.intp], price: Verdicts, sure: Verdicts) -> tuple[Turned, Turned]:
        """Take over new verdicts on prices (n, l, B) and arbitrages (l,) of `rows`; return which of them are other."""
        old, before = self._price[: len(price)].take(rows, axis=1), self._sure[rows]
        outcome, line, book = cells = cells_where(old != price)
        prices = Turned(cells, old[cells], price[cells])
        self._price[outcome, rows[line], book] = prices.new
        lines = (before != sure).nonzero()
        arbitrages = Turned(lines, before[lines], sure[lines])
        self._sure[rows[lines]] = arbitrages.new
        self._speaks[rows] = (sure != NOTHING) | price.any(axis=(0, 2))
        return prices, arbitrages

    def forget_told(self) -> NDArray[np.intp]:
        """Take nothing for told any more; return the rows on which something was."""
        told, sure = tells(self._price), tells_arbitrage(self._sure)
        rows = np.flatnonzero(told.any(axis=(0, 2)) | sure)
        self._price[told] = NOTHING
        self._sure[sure] = NOTHING
        return rows

    def mark(self, row: int, key: AlertKey) -> None:
        """Take the alert of `key` on `row` for told."""
        self._speaks[row] = True
        if key.outcome is None:
            self._sure[row] = OPEN if key.kind == "arbitrage" else ONE_BOOK
            return
        outcome = OUTCOME_IDS[key.market].index(key.outcome or 0)
        book = np.flatnonzero(self._books == key.book)
        self._price[outcome, row, book] = OPEN if key.kind == "value" else OUTLIER


def _enlarged(array: NDArray[Any], shape: tuple[int, ...], fill: int = 0) -> NDArray[Any]:
    if array.shape == shape:
        return array
    larger = np.full(shape, fill, array.dtype)
    larger[tuple(slice(0, n) for n in array.shape)] = array
    return larger
