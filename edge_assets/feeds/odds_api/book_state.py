"""The offers of the books on one event, keyed by the raw bytes they were parsed from.

Offers are immutable and hold everything derived from the bytes, so a book whose bytes did not change since the last
poll costs one dictionary lookup, and a market whose outcomes did not change another. The garbage collector need not
track them (gc=False): they cannot contain cycles.
"""

from __future__ import annotations

from math import isnan
from struct import Struct as Packer
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from edge_assets.feeds.odds_api.conversions import normalize_point
from ml.quotes import UNKNOWN_TIME, Micros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.quotes import QuoteBatch

QuoteKey: TypeAlias = tuple[int, float | None]
"""Outcome and point: identify a quote within one book, market and event."""

Teams: TypeAlias = tuple[str | None, str | None]
"""Home and away; both None for an outright."""

MARKET_TIME_PACKER = Packer("<ihhq")
"""One row of `MarketConfirmations`: event, book, market, book time."""


class MarketOffer(msgspec.Struct, gc=False, frozen=True, eq=False):
    """The usable prices of a market, its key at the feed, and the bytes of the outcomes they were parsed from.

    `prices` stays the same object while those bytes do not change. `stated_time` is the book's own confirmation
    time, `book_time` the same in microseconds, capped at the time of receipt.
    """

    key: str
    outcomes: bytes
    market: int
    prices: dict[QuoteKey, float]
    stated_time: str | int | None
    book_time: Micros
    rejected: tuple[str, ...]

    def with_confirmation(self, stated_time: str | int | None, book_time: Micros) -> MarketOffer:
        """The same offer with another confirmation time."""
        return MarketOffer(self.key, self.outcomes, self.market, self.prices, stated_time, book_time, self.rejected)


class BookOffer(msgspec.Struct, gc=False, frozen=True, eq=False):
    """A book's bytes and what was parsed from them: markets by id, packed `MARKET_TIME_PACKER` rows, number of quotes.

    `rejected` holds a reason for each unusable part.
    """

    body: bytes
    book: int
    markets: dict[int, MarketOffer]
    times: bytes
    quotes: int
    rejected: tuple[str, ...]

    @classmethod
    def from_markets(
        cls,
        body: bytes,
        event: int,
        book: int,
        markets: dict[int, MarketOffer],
        rejected: Iterable[str] = (),
    ) -> BookOffer:
        """Build a book's offer from its markets."""
        times, quotes, reasons = b"", 0, tuple(rejected)
        for market, offer in markets.items():
            if offer.prices:
                times += MARKET_TIME_PACKER.pack(event, book, market, offer.book_time)
                quotes += len(offer.prices)
            reasons += offer.rejected
        return cls(body, book, markets, times, quotes, reasons)


class EventOffer(msgspec.Struct, gc=False, frozen=True, eq=False):
    """The books of an event by their bytes; parsing depends on the names of the teams."""

    teams: Teams
    books: dict[bytes, BookOffer]


class EventChange(NamedTuple):
    """The offers on an event that were replaced or withdrawn, and the new ones, by book."""

    event: int
    old: dict[int, BookOffer]
    new: dict[int, BookOffer]


def index_by_book(offers: Iterable[BookOffer]) -> dict[int, BookOffer]:
    """The offers by the id of their book."""
    return {offer.book: offer for offer in offers}


def withdraw_event(event: int, offer: EventOffer) -> EventChange:
    """The change that withdraws an event."""
    return EventChange(event, index_by_book(offer.books.values()), {})


NO_OFFER = EventOffer((None, None), {})


def restore_offers(quotes: QuoteBatch) -> dict[int, EventOffer]:
    """Rebuild the offers of each event from stored quotes; their bytes are unknown."""
    prices: dict[int, dict[int, dict[int, dict[QuoteKey, float]]]] = {}
    rows = zip(*(column.tolist() for column in quotes.columns()), strict=True)
    for event, book, market, outcome, point, price, _ in rows:
        if not isnan(price):
            key = (outcome, None if isnan(point) else normalize_point(point))
            prices.setdefault(event, {}).setdefault(book, {}).setdefault(market, {})[key] = price
    return {event: _restore_event(event, books) for event, books in prices.items()}


def strip_bytes(event: int, offer: EventOffer) -> EventOffer:
    """The same offers with unknown bytes, so that the next payload is parsed again."""
    books = {
        offer.book: {market: one.prices for market, one in offer.markets.items()} for offer in offer.books.values()
    }
    return _restore_event(event, books)


def _restore_event(event: int, books: dict[int, dict[int, dict[QuoteKey, float]]]) -> EventOffer:
    offers: dict[bytes, BookOffer] = {}
    for book, markets in books.items():
        market_offers = {m: MarketOffer("", b"", m, quotes, None, UNKNOWN_TIME, ()) for m, quotes in markets.items()}
        body = str(book).encode()
        offers[body] = BookOffer.from_markets(body, event, book, market_offers)
    return EventOffer(NO_OFFER.teams, offers)
