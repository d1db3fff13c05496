"""Convert prices and times from the recorded format to the requested one."""

from __future__ import annotations

from functools import lru_cache

from edge_assets.feeds.odds_api.conversions import AMERICAN_EVEN_MONEY
from edge_assets.feeds.recordings.wire import Number, WireTime, format_time, parse_time

_NO_PRICE_AMERICAN = -100_000  # the API was seen to send this where a book has no real price


@lru_cache(maxsize=65_536)
def to_decimal(american: Number | None) -> float | None:
    """American to decimal odds, unrounded; None if it is not an American price."""
    if american is None or -AMERICAN_EVEN_MONEY < american < AMERICAN_EVEN_MONEY:
        return None
    return 1 + american / 100 if american > 0 else 1 - 100 / american


@lru_cache(maxsize=65_536)
def to_american(price: Number | None) -> int | None:
    """Decimal to American odds, rounded to integers like the API's; None for a missing price."""
    if price is None:
        return None
    if price <= 1:
        return _NO_PRICE_AMERICAN
    return round((price - 1) * 100) if price >= 2 else round(-100 / (price - 1))  # noqa: PLR2004 - even money


def to_unix(time: WireTime) -> WireTime:
    """Convert to whole unix seconds; an invalid time is unchanged."""
    return _convert_time(time, unix=True)


def to_iso(time: WireTime) -> WireTime:
    """Convert to ISO text; an invalid time is unchanged."""
    return _convert_time(time, unix=False)


@lru_cache(maxsize=65_536)
def _convert_time(time: WireTime, *, unix: bool) -> WireTime:
    try:
        at = parse_time(time)
    except ValueError:
        return time
    return int(at.timestamp()) if unix else format_time(at)
