"""Home and away as the event has them, where a source has them the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.quotes import Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARKETS_OF_SIDES = np.array([Market.H2H, Market.H2H_3_WAY, Market.SPREADS, Market.H2H_LAY, Market.H2H_3_WAY_LAY])
SIDES = (int(Outcome.HOME), int(Outcome.AWAY))


def turned(quotes: QuoteBatch, flipped: NDArray[np.bool_]) -> QuoteBatch:
    """The quotes with home and away exchanged where `flipped` (n,); a handicap stays with its team."""
    exchange = flipped & np.isin(quotes.market, MARKETS_OF_SIDES) & np.isin(quotes.outcome, SIDES)
    if not exchange.any():
        return quotes
    event, book, market, outcome, *rest = quotes.columns()
    return QuoteBatch(event, book, market, np.where(exchange, sum(SIDES) - outcome, outcome).astype(np.int32), *rest)


def turned_outcome(outcome: int, flipped: bool) -> int:
    """The outcome with home and away exchanged if `flipped`."""
    return sum(SIDES) - outcome if flipped and outcome in SIDES else outcome
