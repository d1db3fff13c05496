"""Differences between two states of a sport's offers, as columns."""

from __future__ import annotations

from itertools import chain
from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_assets.feeds.odds_api.book_state import BookOffer, EventChange, MarketOffer, index_by_book
from ml.quotes import UNKNOWN_TIME, MarketConfirmations, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from edge_assets.feeds.odds_api.book_state import EventOffer

    Covers: TypeAlias = Callable[[int, int, int], bool]
    """Whether a payload covers a market, by event, book and market."""

_Row: TypeAlias = tuple[int, int, int, int, float | None, float, Micros]
UncoveredOffers: TypeAlias = "dict[tuple[int, int, int], MarketOffer]"
"""Offers, by event, book and market, that remain valid because the last payload did not cover them."""
_NO_MARKET = MarketOffer("", b"", 0, {}, None, UNKNOWN_TIME, ())
_MARKET_TIME_DTYPE = np.dtype([("event", "<i4"), ("book", "<i2"), ("market", "<i2"), ("book_time", "<i8")])


def collect_changed_quotes(changes: Iterable[EventChange]) -> QuoteBatch:
    """New and changed prices, and NaN for withdrawn quotes (single ones or those of a whole book)."""
    return QuoteBatch.from_rows(
        row
        for event, old, new in changes
        for book in sorted(old | new)
        for row in _iter_book_rows(event, book, old.get(book), new.get(book))
    )


def limit_to_coverage(
    changes: Collection[EventChange], state: Mapping[int, EventOffer], uncovered: UncoveredOffers, covers: Covers
) -> tuple[list[EventChange], UncoveredOffers]:
    """Drop withdrawals that the payload does not cover; return the changes and the uncovered offers.

    `uncovered` holds the uncovered offers of earlier payloads; this one may cover some of them.
    """
    books: dict[int, dict[int, BookOffer]] = {}

    def is_covered(event: int, book: int, market: int) -> bool:
        if covers(event, book, market):
            return True
        if event not in books:
            books[event] = index_by_book(state[event].books.values()) if event in state else {}
        return book in books[event] and market in books[event][book].markets

    replaced = list(_iter_replaced_offers(changes))
    if not uncovered and all(is_covered(*key) for key, _ in replaced):
        return list(changes), {}
    still_uncovered: UncoveredOffers = {}
    old: dict[int, dict[int, dict[int, MarketOffer]]] = {change.event: {} for change in changes}
    for key, offer in chain(uncovered.items(), replaced):
        if is_covered(*key):
            event, book, market = key
            old.setdefault(event, {}).setdefault(book, {})[market] = offer
        else:
            still_uncovered[key] = offer
    new = {change.event: change.new for change in changes}
    return [
        EventChange(
            event,
            {book: BookOffer.from_markets(b"", event, book, one) for book, one in old_offers.items()},
            new.get(event, {}),
        )
        for event, old_offers in old.items()
    ], still_uncovered


def _iter_replaced_offers(changes: Iterable[EventChange]) -> Iterator[tuple[tuple[int, int, int], MarketOffer]]:
    """The offers that were replaced or withdrawn, by event, book and market."""
    for event, old, _ in changes:
        for book, offer in old.items():
            for market, one in offer.markets.items():
                yield (event, book, market), one


def unpack_market_times(offers: Iterable[BookOffer]) -> MarketConfirmations:
    """When each book confirmed each market on offer."""
    rows = np.frombuffer(b"".join([offer.times for offer in offers]), dtype=_MARKET_TIME_DTYPE)
    return MarketConfirmations(*(np.ascontiguousarray(rows[name]) for name in _MARKET_TIME_DTYPE.fields or ()))


def _iter_book_rows(event: int, book: int, before: BookOffer | None, after: BookOffer | None) -> Iterator[_Row]:
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
