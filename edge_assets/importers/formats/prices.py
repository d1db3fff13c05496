"""Many prices at once by the rules of `edge_assets.feeds.odds_api.conversions`: the same in, the same refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.feeds.odds_api.conversions import MAX_PRICE, MIN_PRICE
from edge_assets.importers.formats.notation import parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_assets.importers.formats.tables import CsvTable

    Floats = NDArray[np.float64]
    Validator = Callable[[Floats], tuple[Floats, dict[str, NDArray[np.bool_]]]]

AMERICAN_EVEN_MONEY = 100
MAX_ABS_POINT = 1_000.0
"""No handicap or total is larger; cricket's totals of an innings get to 700."""


def american_to_decimal(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Decimal prices, NaN where there is none or none to bet at, and which were refused for which reason."""
    with np.errstate(divide="ignore", over="ignore"):
        decimal = np.where(prices > 0, 1 + prices / AMERICAN_EVEN_MONEY, 1 - AMERICAN_EVEN_MONEY / prices)
    no_price = np.abs(prices) < AMERICAN_EVEN_MONEY
    usable, rejected = check_decimal(np.where(no_price, np.nan, decimal))
    return usable, {"price_not_american": no_price} | rejected


def check_decimal(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """The prices, NaN where there is none or none to bet at, and which were refused for which reason."""
    low = prices <= 1
    absurd = ~low & ~np.isnan(prices) & ~((prices >= MIN_PRICE) & (prices <= MAX_PRICE))
    return np.where(low | absurd, np.nan, prices), {"price_not_above_one": low, "price_absurd": absurd}


def check_points(points: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Handicaps or totals without the sign of zero, NaN where there is none, and which were refused."""
    absurd = np.abs(points) > MAX_ABS_POINT
    return np.where(absurd, np.nan, points) + 0.0, {"point_absurd": absurd}


def read_validated(
    table: CsvTable, names: Sequence[str], validate: Validator, parse: Callable[[str], float] = parse_number
) -> Floats:
    """Columns of a file as `validate` takes them (n, k); what it refuses is counted."""
    usable, rejected = validate(table.parse_numbers(names, parse))
    for reason, where in rejected.items():
        table.reject(reason, names, where, "nobody can bet at it")
    return usable
