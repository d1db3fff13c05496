"""Validate and convert prices, points and times of the wire."""

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
"""Outside this range a price is a placeholder for none: decimal 1.0, American -2147483648, and, late in play, American
1,000,000 and -1,000,000 (decimal 10,001 and 1.0001)."""
AMERICAN_EVEN_MONEY = 100
"""The American price of even money; numbers between it and its negative are not prices."""
MIN_TIME, MAX_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Outside this range a time is a placeholder (years 1, 1970 and 9999) or in other units."""


class PriceFormat(StrEnum):
    """The format of a payload's prices, with the values of the parameter `oddsFormat`."""

    DECIMAL = "decimal"
    AMERICAN = "american"


class RejectedValueError(ValueError):
    """A value that cannot be used; the message is the rejection reason."""


@lru_cache(maxsize=65_536)
def check_decimal(price: float | None) -> float:
    """Return a decimal price if it is usable.

    Raises:
        RejectedValueError: it is missing (a suspended selection) or out of range.
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
    """Convert an American price, unrounded: 1 + a/100, or 1 - 100/a for negative ones.

    Raises:
        RejectedValueError: it is missing, not an American price, or out of range.
    """
    if price is None:
        raise RejectedValueError("price_missing")
    if -AMERICAN_EVEN_MONEY < price < AMERICAN_EVEN_MONEY:
        raise RejectedValueError("price_not_american")
    return check_decimal(1 + price / 100 if price > 0 else 1 - 100 / price)


DECIMAL_CONVERTERS = {PriceFormat.DECIMAL: check_decimal, PriceFormat.AMERICAN: american_to_decimal}


@lru_cache(maxsize=65_536)
def normalize_point(point: float) -> float:
    """Round a point to single precision, as the database stores it, and drop the sign of zero.

    Raises:
        RejectedValueError: it is not finite.
    """
    stored = ctypes.c_float(point).value
    if not isfinite(stored):
        raise RejectedValueError("point_not_finite")
    return stored + 0.0


@lru_cache(maxsize=65_536)
def parse_wire_micros(value: str | int) -> Micros:
    """Parse a time of the wire to microseconds; raises like `parse_wire_time`."""
    return to_micros(parse_wire_time(value))


def parse_wire_time(value: str | int) -> datetime:
    """Parse a time of the wire, ISO text (UTC if no zone is stated) or unix seconds, to aware UTC.

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
            return f"{value} looks like milliseconds; expected seconds"
        return f"{value} is not a unix time in seconds between {MIN_TIME.year} and {MAX_TIME.year}"
    return f"{value[:40]!r} is not a time between {MIN_TIME.year} and {MAX_TIME.year}"
