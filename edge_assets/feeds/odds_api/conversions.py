"""Prices, points and times of the wire, turned into ours or refused."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from math import isfinite

from edge_assets.core.clock import to_micros
from ml.quotes import Micros

MAX_PRICE = 10_000.0
MIN_PRICE = 1.0002
"""Outside of these a price is a feed's way to say that there is none: decimal 1.0, American -2147483648, and what books
show late in play, American 1,000,000 and -1,000,000 (decimal 10,001 and 1.0001)."""
AMERICAN_EVEN_MONEY = 100
"""The American price of even money; nothing between it and its negative is a price."""
MIN_TIME, MAX_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Outside of these a time is a program's way to say that it knows none (years 1, 1970 and 9999), or in other units."""


class PriceFormat(StrEnum):
    """How a payload writes prices; the values are those of the parameter `oddsFormat`."""

    DECIMAL = "decimal"
    AMERICAN = "american"


class RejectedValueError(ValueError):
    """A number that is not used; the text is the reason that is counted."""


@lru_cache(maxsize=65_536)
def check_decimal(price: float | None) -> float:
    """A decimal price as it is.

    Raises:
        RejectedValueError: there is none (a suspended selection), or nobody can bet at it.
    """
    if price is None:
        raise RejectedValueError("price_missing")
    if price <= 1:
        raise RejectedValueError("price_not_above_one")
    if not MIN_PRICE <= price <= MAX_PRICE:
        raise RejectedValueError("price_absurd")
    return price


@lru_cache(maxsize=65_536)
def american_to_decimal(price: float | None) -> float:
    """The decimal price of an American one, unrounded: 1 + a/100, or 1 - 100/a for negative ones.

    Raises:
        RejectedValueError: there is none, it is no American price, or nobody can bet at it.
    """
    if price is None:
        raise RejectedValueError("price_missing")
    if -AMERICAN_EVEN_MONEY < price < AMERICAN_EVEN_MONEY:
        raise RejectedValueError("price_not_american")
    return check_decimal(1 + price / 100 if price > 0 else 1 - 100 / price)


DECIMAL_CONVERTERS = {PriceFormat.DECIMAL: check_decimal, PriceFormat.AMERICAN: american_to_decimal}


@lru_cache(maxsize=65_536)
def normalize_point(point: float) -> float:
    """The point as single precision holds it (the database does), without the sign of zero.

    Raises:
        RejectedValueError: it is no finite number.
    """
    stored = ctypes.c_float(point).value
    if not isfinite(stored):
        raise RejectedValueError("point_not_finite")
    return stored + 0.0


@lru_cache(maxsize=65_536)
def parse_wire_micros(value: str | int) -> Micros:
    """A time of the wire in microseconds; raises like `parse_wire_time`."""
    return to_micros(parse_wire_time(value))


def parse_wire_time(value: str | int) -> datetime:
    """A time of the wire, ISO text (UTC where it states no zone) or unix seconds, aware UTC.

    Raises:
        ValueError: it is neither, or not between `MIN_TIME` and `MAX_TIME`.
    """
    try:
        at = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(_invalid_time_message(value)) from error
    if not MIN_TIME <= at < MAX_TIME:
        raise ValueError(_invalid_time_message(value))
    return at


def _invalid_time_message(value: str | int) -> str:
    if isinstance(value, int):
        if MIN_TIME.timestamp() * 1000 <= value < MAX_TIME.timestamp() * 1000:
            return f"{value} are milliseconds, where seconds are expected"
        return f"a number outside of the years {MIN_TIME.year} to {MAX_TIME.year}, where unix seconds are expected"
    return f"{value[:40]!r} is no time between {MIN_TIME.year} and {MAX_TIME.year}"
