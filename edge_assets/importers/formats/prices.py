"""Vectorized price checks with the rules of `edge_assets.feeds.odds_api.conversions`."""

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
"""No handicap or total is larger; cricket totals of an innings reach 700."""


def american_to_decimal(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Decimal prices, NaN if missing or unusable, and masks of the rejected ones by reason."""
    with np.errstate(divide="ignore", over="ignore"):
        decimal = np.where(prices > 0, 1 + prices / AMERICAN_EVEN_MONEY, 1 - AMERICAN_EVEN_MONEY / prices)
    no_price = np.abs(prices) < AMERICAN_EVEN_MONEY
    usable, rejected = check_decimal(np.where(no_price, np.nan, decimal))
    return usable, {"price_not_american": no_price} | rejected


def check_decimal(prices: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """The prices, NaN if missing or unusable, and masks of the rejected ones by reason."""
    low = prices <= 1
    out_of_range = ~low & ~np.isnan(prices) & ~((prices >= MIN_PRICE) & (prices <= MAX_PRICE))
    return np.where(low | out_of_range, np.nan, prices), {"price_not_above_one": low, "price_absurd": out_of_range}


def check_points(points: Floats) -> tuple[Floats, dict[str, NDArray[np.bool_]]]:
    """Handicaps or totals without the sign of zero, NaN if missing or unusable, and masks of the rejected ones."""
    out_of_range = np.abs(points) > MAX_ABS_POINT
    return np.where(out_of_range, np.nan, points) + 0.0, {"point_absurd": out_of_range}


def read_validated(
    table: CsvTable, names: Sequence[str], validate: Validator, parse: Callable[[str], float] = parse_number
) -> Floats:
    """Columns of a file that `validate` accepts (n, k), else NaN; rejected values are counted."""
    usable, rejected = validate(table.parse_numbers(names, parse))
    for reason, where in rejected.items():
        table.reject(reason, names, where, "not a usable price or point")
    return usable
