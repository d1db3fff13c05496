"""Many prices at once by the rules of `edge_assets.feeds.odds_api.numbers`: the same in, the same refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.feeds.odds_api.numbers import HIGHEST_PRICE, LOWEST_PRICE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EVEN = 100


def from_american(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Decimal prices, NaN where there is none or none to bet at, and which were refused for which reason."""
    with np.errstate(divide="ignore", over="ignore"):
        decimal = np.where(prices > 0, 1 + prices / EVEN, 1 - EVEN / prices)
    no_price = np.abs(prices) < EVEN
    usable, refused = from_decimal(np.where(no_price, np.nan, decimal))
    return usable, {"price_not_american": no_price} | refused


def from_decimal(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """The prices, NaN where there is none or none to bet at, and which were refused for which reason."""
    low = prices <= 1
    absurd = ~low & ~np.isnan(prices) & ~((prices >= LOWEST_PRICE) & (prices <= HIGHEST_PRICE))
    return np.where(low | absurd, np.nan, prices), {"price_not_above_one": low, "price_absurd": absurd}
