"""What differs between two states of a sport's offers, as columns."""

from __future__ import annotations

from itertools import chain
from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_assets.feeds.odds_api.offers import BookOffer, EventChange, MarketOffer, by_book
from ml.quotes import UNKNOWN_TIME, MarketTimes, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from edge_assets.feeds.odds_api.offers import EventOffer

    Covers: TypeAlias = Callable[[int, int, int], bool]
    """Whether an answer would show a market if it were on offer, by event, book and market."""

_Row: TypeAlias = tuple[int, int, int, int, float | None, float, Micros]
Aside: TypeAlias = "dict[tuple[int, int, int], MarketOffer]"
"""What stands by event, book and market though the last answer did not show it: it was not asked for."""
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


def bounded(
    changes: Collection[EventChange], state: Mapping[int, EventOffer], aside: Aside, covers: Covers
) -> tuple[list[EventChange], Aside]:
    """The changes without withdrawals of what the answer does not cover, and what stands though it was not shown.

    `aside` is what stood so after the answers before; some of it is shown or withdrawn now.
    """
    old: dict[int, dict[int, dict[int, MarketOffer]]] = {}
    new: dict[int, dict[int, BookOffer]] = {change.event: change.new for change in changes}
    left: Aside = {}
    shown = {event: by_book(state[event].books.values()) if event in state else {} for event in new}
    for key, offer in chain(aside.items(), _offers(changes)):
        event, book, market = key
        books = shown.get(event)
        if books is None:
            books = shown[event] = by_book(state[event].books.values()) if event in state else {}
        if covers(*key) or (book in books and market in books[book].markets):
            old.setdefault(event, {}).setdefault(book, {})[market] = offer
        else:
            left[key] = offer
    return [
        EventChange(
            event,
            {book: BookOffer.of(b"", event, book, markets) for book, markets in old.get(event, {}).items()},
            new.get(event, {}),
        )
        for event in dict.fromkeys([*new, *old])
    ], left


def _offers(changes: Iterable[EventChange]) -> Iterator[tuple[tuple[int, int, int], MarketOffer]]:
    """What is no longer as it was, by event, book and market."""
    for event, old, _ in changes:
        for book, offer in old.items():
            for market, one in offer.markets.items():
                yield (event, book, market), one


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
