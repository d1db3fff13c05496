"""Prices, points and times of the wire, turned into ours or refused."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from math import isfinite

from edge_assets.clock import micros
from ml.quotes import Micros

HIGHEST_PRICE = 10_000.0
LOWEST_PRICE = 1.0002
"""Outside of these a price is a feed's way to say that there is none: decimal 1.0, American -2147483648, and what books
show late in play, American 1,000,000 and -1,000,000 (decimal 10,001 and 1.0001)."""


class PriceFormat(StrEnum):
    """How a payload writes prices; the values are those of the parameter `oddsFormat`."""

    DECIMAL = "decimal"
    AMERICAN = "american"


class RefusedError(ValueError):
    """A number that is not used; the text is the reason that is counted."""


@lru_cache(maxsize=65_536)
def from_decimal(price: float) -> float:
    """A decimal price as it is.

    Raises:
        RefusedError: nobody can bet at this price.
    """
    if price <= 1:
        raise RefusedError("price_not_above_one")
    if not LOWEST_PRICE <= price <= HIGHEST_PRICE:
        raise RefusedError("price_absurd")
    return price


@lru_cache(maxsize=65_536)
def from_american(price: float) -> float:
    """The decimal price of an American one, unrounded: 1 + a/100, or 1 - 100/a for negative ones.

    Raises:
        RefusedError: it is no American price, or nobody can bet at it.
    """
    even = 100
    if -even < price < even:
        raise RefusedError("price_not_american")
    return from_decimal(1 + price / 100 if price > 0 else 1 - 100 / price)


CONVERTERS = {PriceFormat.DECIMAL: from_decimal, PriceFormat.AMERICAN: from_american}


@lru_cache(maxsize=65_536)
def stored_point(point: float) -> float:
    """The point as single precision holds it (the database does), without the sign of zero.

    Raises:
        RefusedError: it is no finite number.
    """
    stored = ctypes.c_float(point).value
    if not isfinite(stored):
        raise RefusedError("point_not_finite")
    return stored + 0.0


@lru_cache(maxsize=65_536)
def wire_micros(value: str | int) -> Micros:
    """A time of the wire in microseconds; raises like `wire_time`."""
    return micros(wire_time(value))


def wire_time(value: str | int) -> datetime:
    """A time of the wire, ISO text or unix seconds, aware UTC.

    Raises:
        ValueError: it is neither.
    """
    try:
        at = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
