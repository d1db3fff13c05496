"""Reads the bytes of an event's books into offers; what cannot be used is counted by reason."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.odds_api.lenient import LenientList
from edge_assets.feeds.odds_api.naming import EventNames, market_of
from edge_assets.feeds.odds_api.numbers import CONVERTERS, RefusedError, stored_point, wire_micros
from edge_assets.feeds.odds_api.offers import BookOffer, EventChange, EventOffer, MarketOffer, by_book
from edge_assets.feeds.odds_api.wire import UNREADABLE
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edge_assets.feeds.odds_api.numbers import PriceFormat
    from edge_assets.feeds.odds_api.offers import QuoteKey, Teams
    from edge_assets.feeds.odds_api.vocabulary import Vocabulary


class _OutcomeBody(msgspec.Struct, gc=False, frozen=True):
    name: str
    price: float
    point: float | None = None
    description: str | None = None


class _MarketBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    outcomes: msgspec.Raw
    last_update: str | int | None = None


class _BookBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    markets: msgspec.Raw
    title: str | None = None
    last_update: str | int | None = None


_book = msgspec.json.Decoder(_BookBody)
_markets = LenientList(_MarketBody, "malformed_market")
_outcomes = LenientList(_OutcomeBody, "malformed_outcome")


class OfferReader:
    """Reads books in one price format with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, price_format: PriceFormat) -> None:
        self._vocabulary = vocabulary
        self._decimal = CONVERTERS[price_format]

    def event(
        self, event: int, teams: Teams, bodies: Sequence[msgspec.Raw], before: EventOffer, rejected: list[str]
    ) -> tuple[EventOffer, EventChange]:
        """Read the books of an event, reusing what `before` holds as far as the bytes are the same."""
        known = before if teams == before.teams else EventOffer(teams, {})
        # lazily, so that each copy is freed before the next: they share one warm piece of memory
        found = list(map(known.books.get, map(bytes, bodies)))
        new = [bytes(body) for body, offer in zip(bodies, found, strict=True) if offer is None]
        books = {offer.body: offer for offer in found if offer is not None}
        rejected += ["duplicate_book"] * (len(found) - len(new) - len(books))
        old = by_book(set(before.books.values()).difference(books.values()))
        names = EventNames(self._vocabulary, *teams)
        came: dict[int, BookOffer] = {}
        taken = set(map(attrgetter("book"), books.values()))
        for offer in self._read(event, names, new, old if known is before else {}, rejected):
            if offer.book in taken:
                rejected.append("duplicate_book")
            else:
                taken.add(offer.book)
                came[offer.book] = books[offer.body] = offer
        return EventOffer(teams, books), EventChange(event, old, came)

    def _read(
        self,
        event: int,
        names: EventNames,
        bodies: Iterable[bytes],
        last: Mapping[int, BookOffer],
        rejected: list[str],
    ) -> Iterator[BookOffer]:
        for body in bodies:
            try:
                yield self._book(event, names, body, last)
            except UNREADABLE:
                rejected.append("malformed_book")

    def _book(self, event: int, names: EventNames, body: bytes, last: Mapping[int, BookOffer]) -> BookOffer:
        sent = _book.decode(body)
        book = self._vocabulary.book(sent.key, sent.title or sent.key)
        before = last.get(book)
        known = {offer.key: offer for offer in before.markets.values()} if before else {}
        rejected: list[str] = []
        offers: dict[int, MarketOffer] = {}
        for market in _markets.decode(sent.markets, rejected):
            try:
                offer = self._market(names, market, sent, known.get(market.key))
            except (ValueError, msgspec.DecodeError):
                rejected.append("malformed_market")
                continue
            if offer.market in offers:
                rejected.append("duplicate_market")
            else:
                offers[offer.market] = offer
        return BookOffer.of(body, event, book, offers, rejected)

    def _market(self, names: EventNames, sent: _MarketBody, book: _BookBody, known: MarketOffer | None) -> MarketOffer:
        # captures before 2023 state the book's time only, live event odds the market's only
        stated = book.last_update if sent.last_update is None else sent.last_update
        book_time = UNKNOWN_TIME if stated is None else wire_micros(stated)
        outcomes = bytes(sent.outcomes)
        if known is not None and known.outcomes == outcomes:
            return known.confirmed(book_time)
        rejected: list[str] = []
        listed = _outcomes.decode(outcomes, rejected)
        market = market_of(sent.key, {outcome.name for outcome in listed})
        number = self._vocabulary.market(sent.key) if market is None else market
        prices = self._prices(names, sent.key, listed, rejected)
        return MarketOffer(sent.key, outcomes, number, prices, book_time, tuple(rejected))

    def _prices(
        self, names: EventNames, market: str, outcomes: list[_OutcomeBody], rejected: list[str]
    ) -> dict[QuoteKey, float]:
        prices: dict[QuoteKey, float] = {}
        for outcome in outcomes:
            try:
                quote, price = self._quote(names, market, outcome)
            except RefusedError as refusal:
                rejected.append(str(refusal))
                continue
            if quote in prices:
                rejected.append("duplicate_quote")
            else:
                prices[quote] = price
        return prices

    def _quote(self, names: EventNames, market: str, sent: _OutcomeBody) -> tuple[QuoteKey, float]:
        price = self._decimal(sent.price)
        point = None if sent.point is None else stored_point(sent.point)
        return (names.outcome(market, sent.name, sent.description), point), price
