"""What differs between two states of a sport's offers, as columns."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_assets.feeds.odds_api.offers import MarketOffer
from ml.quotes import UNKNOWN_TIME, MarketTimes, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge_assets.feeds.odds_api.offers import BookOffer, EventChange

_Row: TypeAlias = tuple[int, int, int, int, float | None, float, Micros]
_NO_MARKET = MarketOffer("", b"", 0, {}, None, UNKNOWN_TIME, ())
_MARKET_TIME = np.dtype([("event", "<i4"), ("book", "<i2"), ("market", "<i2"), ("book_time", "<i8")])


def changed_quotes(changes: Iterable[EventChange]) -> QuoteBatch:
    """New and changed prices, and NaN for quotes that vanished (alone or with all of their book)."""
    return QuoteBatch.of(
        row
        for event, old, new in changes
        for book in sorted(old | new)
        for row in _book_rows(event, book, old.get(book), new.get(book))
    )


def market_times(offers: Iterable[BookOffer]) -> MarketTimes:
    """When each book confirmed each market on offer."""
    rows = np.frombuffer(b"".join([offer.times for offer in offers]), dtype=_MARKET_TIME)
    return MarketTimes(*(np.ascontiguousarray(rows[name]) for name in _MARKET_TIME.fields or ()))


def _book_rows(event: int, book: int, before: BookOffer | None, after: BookOffer | None) -> Iterator[_Row]:
    olds = before.markets if before else {}
    news = after.markets if after else {}
    for market in olds | news:
        old, new = olds.get(market, _NO_MARKET), news.get(market, _NO_MARKET)
        if old.prices is new.prices:
            continue
        for quote, price in new.prices.items():
            if old.prices.get(quote) != price:
                yield event, book, market, *quote, price, new.book_time
        for quote in old.prices:
            if quote not in new.prices:
                yield event, book, market, *quote, nan, new.book_time
