"""The key of a line, and which of its outcomes a quote belongs to.

A *line* is a market of an event at one point: its outcomes are exhaustive (except for a push), so it can be de-vigged
and arbitraged. Spreads are keyed by the home side's point: home -3.5 and away +3.5 are the two outcomes of one line.
The lines of a market at different points are its *ladder*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import MARKET_OUTCOMES, Market, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import QuoteBatch

OUTCOME_IDS = {int(market): tuple(map(int, outcomes)) for market, outcomes in MARKET_OUTCOMES.items()}
"""The outcomes of every valued market, in matrix order, as plain integers."""
OUTCOME_COUNT_BY_MARKET = {market: len(outcomes) for market, outcomes in OUTCOME_IDS.items()}
MAX_OUTCOMES = max(OUTCOME_COUNT_BY_MARKET.values())
NOT_VALUED = -1
_SPREADS, _AWAY = int(Market.SPREADS), int(Outcome.AWAY)  # NumPy is much slower at comparing with enum members
# the last row and the last column are for all larger ids
_OUTCOME_COLUMN = np.full((max(Market) + 2, max(Outcome) + 2), NOT_VALUED, np.intp)
for _market, _outcomes in MARKET_OUTCOMES.items():
    _OUTCOME_COLUMN[_market, _outcomes] = range(len(_outcomes))


class LineKey(NamedTuple):
    """Identity of a line; `point` is the home side's (or the total), 0 where the market has none."""

    event: int
    market: int
    point: float


def selection_point(key: LineKey, column: int) -> float | None:
    """The point of outcome number `column` of the line, as the book states it."""
    if key.market == Market.SPREADS:
        return key.point if MARKET_OUTCOMES[Market.SPREADS][column] is Outcome.HOME else 0.0 - key.point
    return key.point if key.market == Market.TOTALS else None


def line_key(event: int, market: int, outcome: int | None, point: float | None) -> LineKey:
    """The line that a quote belongs to; `point` as the book states it, None or NaN where there is none."""
    if point is None or point != point:  # noqa: PLR0124 - NaN: the market has no point
        return LineKey(event, market, 0.0)
    away = market == Market.SPREADS and outcome == Outcome.AWAY
    return LineKey(event, market, 0.0 - point if away else 0.0 + point)


def line_points(quotes: QuoteBatch) -> NDArray[np.float32]:
    """`line_key(...).point` of each quote (N,)."""
    point = np.where(np.isnan(quotes.point), np.float32(0), quotes.point)
    away = (quotes.market == _SPREADS) & (quotes.outcome == _AWAY)
    return np.where(away, np.float32(0) - point, np.float32(0) + point)


def outcome_columns(quotes: QuoteBatch) -> NDArray[np.intp]:
    """The outcome number (N,) of each quote within its line, `NOT_VALUED` where the market is not valued."""
    markets, outcomes = _OUTCOME_COLUMN.shape
    cells = np.minimum(quotes.market, markets - 1) * outcomes + np.minimum(quotes.outcome, outcomes - 1)
    return _OUTCOME_COLUMN.take(cells)
