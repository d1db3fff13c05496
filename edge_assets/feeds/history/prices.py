"""Many prices at once by the rules of `edge_assets.feeds.odds_api.numbers`: the same in, the same refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.feeds.history.notation import as_number
from edge_assets.feeds.odds_api.numbers import HIGHEST_PRICE, LOWEST_PRICE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_assets.feeds.history.tables import Table

    Floats = NDArray[np.float64]
    Judge = Callable[[Floats], tuple[Floats, dict[str, NDArray[np.bool_]]]]

EVEN = 100
MAX_POINTS = 1_000.0
"""No handicap or total is larger; cricket's totals of an innings get to 700."""


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


def from_points(points: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Handicaps or totals without the sign of zero, NaN where there is none, and which were refused."""
    absurd = np.abs(points) > MAX_POINTS
    return np.where(absurd, np.nan, points) + 0.0, {"point_absurd": absurd}


def judged(table: Table, names: Sequence[str], judge: Judge, parse: Callable[[str], float] = as_number) -> Floats:
    """Columns of a file as `judge` takes them (n, k); what it refuses is counted."""
    usable, refused = judge(table.numbers(names, parse))
    for reason, where in refused.items():
        table.refuse(reason, names, where, "nobody can bet at it")
    return usable
