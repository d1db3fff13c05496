"""The lines that are valued together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.market import devig, log_odds
from ml.market.methods import booksum
from ml.quotes import Market

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.market import DevigMethod
    from ml.scoring.matrix import LineMatrix

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LineView:
    """The lines to value, all with the same number of outcomes n; whole ladders.

    `price` (n, L, B) with NaN where nothing is offered; `opinion` (n, L, B) and `cost` (L, B) as in `LineMatrix`;
    `book_time` (L, B) and `start` (L,) in microseconds; `market`, `point` and `ladder` (L,).
    """

    price: Array
    opinion: Array
    cost: Array
    book_time: NDArray[np.int64]
    start: NDArray[np.int64]
    market: NDArray[np.int64]
    point: Array
    ladder: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        prices: Array,
        book_time: NDArray[np.int64],
        *,
        start: NDArray[np.int64],
        market: Market,
        point: Array,
        ladder: NDArray[np.intp],
        method: DevigMethod,
    ) -> LineView:
        """Lines of one market from `prices` (L, B, n), each book's opinion by `method`."""
        first = np.moveaxis(prices, 2, 0)
        opinion, cost = log_odds(devig(prices, method)), booksum(1 / first)
        return cls(first, opinion, cost, book_time, start, np.full(len(prices), int(market)), point, ladder)

    def threshold(self) -> Array:
        """What the margin or the total has to exceed for the first outcome (L,)."""
        return np.where(self.market == int(Market.SPREADS), 0.0 - self.point, self.point)


def view_of(matrix: LineMatrix, rows: NDArray[np.intp], outcomes: int) -> LineView:
    """The lines `rows` of a matrix, all with that many outcomes."""
    return LineView(
        # `take` copies whole rows of books: a third of the time of an index array
        price=matrix.price[:outcomes].take(rows, axis=1),
        opinion=matrix.opinion[:outcomes].take(rows, axis=1),
        cost=matrix.cost.take(rows, axis=0),
        book_time=matrix.book_times(rows),
        start=matrix.start[rows],
        market=matrix.market[rows],
        point=matrix.point[rows],
        ladder=matrix.ladder[rows],
    )
