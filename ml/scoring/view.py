"""The lines that are valued together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.market import devig, to_log_odds
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

    `price` (n, L, B) with NaN where nothing is offered; `fair_log_odds` (n, L, B) and `cost` (L, B) as in `LineMatrix`;
    `confirmed_at` (L, B) and `commence_at` (L,) in microseconds; `market`, `point` and `event_market` (L,).
    """

    price: Array
    fair_log_odds: Array
    booksum: Array
    confirmed_at: NDArray[np.int64]
    commence_at: NDArray[np.int64]
    market: NDArray[np.int64]
    point: Array
    event_market: NDArray[np.intp]

    @classmethod
    def from_prices(
        cls,
        prices: Array,
        confirmed_at: NDArray[np.int64],
        *,
        commence_at: NDArray[np.int64],
        market: Market,
        point: Array,
        event_market: NDArray[np.intp],
        method: DevigMethod,
    ) -> LineView:
        """Lines of one market from `prices` (L, B, n), each book's opinion by `method`."""
        first = np.moveaxis(prices, 2, 0)
        fair_log_odds, cost = to_log_odds(devig(prices, method)), booksum(1 / first)
        return cls(
            first,
            fair_log_odds,
            cost,
            confirmed_at,
            commence_at,
            np.full(len(prices), int(market)),
            point,
            event_market,
        )

    def threshold(self) -> Array:
        """What the margin or the total has to exceed for the first outcome (L,)."""
        return np.where(self.market == int(Market.SPREADS), 0.0 - self.point, self.point)


def view_lines(matrix: LineMatrix, rows: NDArray[np.intp], outcomes: int) -> LineView:
    """The lines `rows` of a matrix, all with that many outcomes."""
    return LineView(
        # `take` copies whole rows of books: a third of the time of an index array
        price=matrix.price[:outcomes].take(rows, axis=1),
        fair_log_odds=matrix.fair_log_odds[:outcomes].take(rows, axis=1),
        booksum=matrix.booksum.take(rows, axis=0),
        confirmed_at=matrix.confirmed_at_of(rows),
        commence_at=matrix.commence_at[rows],
        market=matrix.market[rows],
        point=matrix.point[rows],
        event_market=matrix.event_market[rows],
    )
