"""Rewrites prices and times from the recorded format into the one asked for."""

from __future__ import annotations

from functools import lru_cache

from edge_assets.feeds.replay.bodies import Number, Stamp, as_datetime, stamp

_JUNK_AMERICAN = -100_000  # what the API was seen to send where a book has no price worth the name


@lru_cache(maxsize=65_536)
def to_decimal(american: Number) -> float:
    """American to decimal odds, unrounded."""
    return 1 + american / 100 if american >= 0 else 1 - 100 / american


@lru_cache(maxsize=65_536)
def to_american(price: Number) -> int:
    """Decimal to American odds, rounded to integers like the API's."""
    if price <= 1:
        return _JUNK_AMERICAN
    return round((price - 1) * 100) if price >= 2 else round(-100 / (price - 1))  # noqa: PLR2004 - even money


@lru_cache(maxsize=65_536)
def to_unix(time: Stamp) -> Stamp:
    """Whole unix seconds."""
    return int(as_datetime(time).timestamp())


@lru_cache(maxsize=65_536)
def to_iso(time: Stamp) -> Stamp:
    """ISO text."""
    return stamp(as_datetime(time))
