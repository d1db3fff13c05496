"""Reads the bytes of an event's books into offers; what cannot be used is counted by reason.

Bytes are decoded as they stand; only a book that then fails is mended first (`mending`), which costs ten times as much.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from edge_assets.feeds.odds_api.limits import (
    MAX_BOOK_EVENTS,
    MAX_BOOK_KEYS,
    MAX_BOOKS,
    MAX_MARKETS,
    MAX_OUTCOMES,
    capped,
)
from edge_assets.feeds.odds_api.mending import encoded, mended_book
from edge_assets.feeds.odds_api.naming import WITH_LINES, EventNames, cleaned
from edge_assets.feeds.odds_api.numbers import CONVERTERS, RefusedError, stored_point, wire_micros
from edge_assets.feeds.odds_api.offers import BookOffer, EventChange, EventOffer, MarketOffer, by_book
from edge_assets.feeds.odds_api.wire import UNREADABLE
from edge_assets.texts import UnusableTextError
from ml.quotes import UNKNOWN_TIME, Micros, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edge_assets.feeds.odds_api.numbers import PriceFormat
    from edge_assets.feeds.odds_api.offers import QuoteKey, Teams
    from edge_assets.feeds.odds_api.vocabulary import Vocabulary

Stated: TypeAlias = str | int | None

CLOCKS_DIFFER_BY: Micros = 60_000_000
"""Microseconds by which a book's clock may be ahead of ours without being told so."""
_SIDES = (int(Outcome.HOME), int(Outcome.AWAY))


class _OutcomeBody(msgspec.Struct, gc=False, frozen=True):
    name: str
    price: float | None = None
    point: float | None = None
    description: str | None = None


class _MarketBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    outcomes: msgspec.Raw
    last_update: Stated = None


class _BookBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    markets: list[_MarketBody] | None = None
    title: str | None = None
    last_update: Stated = None


_book = msgspec.json.Decoder(_BookBody)
_outcomes = msgspec.json.Decoder(list[_OutcomeBody])


class OfferReader:
    """Reads books in one price format with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, sport: str, price_format: PriceFormat) -> None:
        self._vocabulary = vocabulary
        self._sport = sport
        self._format = price_format
        self._decimal = CONVERTERS[price_format]
        self._seen: Micros = UNKNOWN_TIME
        self._shown: set[int] = set()
        self._room = MAX_BOOK_EVENTS

    def at(self, seen: Micros) -> OfferReader:
        """The same, for an answer of this moment: no price in it was confirmed later."""
        self._seen, self._shown, self._room = seen, set(), MAX_BOOK_EVENTS
        return self

    def event(
        self, event: int, teams: Teams, bodies: Sequence[msgspec.Raw], before: EventOffer, rejected: list[str]
    ) -> tuple[EventOffer, EventChange]:
        """Read the books of an event, reusing what `before` holds as far as the bytes are the same."""
        known = before if teams == before.teams else EventOffer(teams, {})
        bodies = capped(bodies, MAX_BOOKS, "too_many_books", rejected)
        bodies = capped(bodies, self._room, "too_many_books_in_answer", rejected)
        self._room -= len(bodies)
        # lazily, so that each copy is freed before the next: they share one warm piece of memory
        found = list(map(known.books.get, map(bytes, bodies)))
        new = [bytes(body) for body, offer in zip(bodies, found, strict=True) if offer is None]
        books = {offer.body: offer for offer in found if offer is not None}
        rejected += ["duplicate_book"] * (len(found) - len(new) - len(books))
        old = by_book(set(before.books.values()).difference(books.values()))
        names = EventNames(self._vocabulary, self._sport, *teams)
        came: dict[int, BookOffer] = {}
        taken = set(map(attrgetter("book"), books.values()))
        self._shown |= taken
        for offer in self._read(event, names, new, old if known is before else {}, rejected):
            if offer.book in taken:
                rejected.append("duplicate_book")
            elif offer.book not in self._shown and len(self._shown) >= MAX_BOOK_KEYS:
                rejected.append("too_many_book_keys")
            else:
                taken.add(offer.book)
                self._shown.add(offer.book)
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
            except (RefusedError, UnusableTextError) as refusal:
                rejected.append(str(refusal))

    def _book(self, event: int, names: EventNames, body: bytes, last: Mapping[int, BookOffer]) -> BookOffer:
        rejected: list[str] = []
        try:
            book, markets = self._markets(names, body, last, rejected)
        except UNREADABLE:
            rejected = []
            sound = encoded(mended_book(body, rejected, self._format))
            book, markets = self._markets(names, sound, last, rejected)
        return BookOffer.of(body, event, book, markets, rejected)

    def _markets(
        self, names: EventNames, body: bytes, last: Mapping[int, BookOffer], rejected: list[str]
    ) -> tuple[int, dict[int, MarketOffer]]:
        sent = _book.decode(body)
        book = self._vocabulary.book(cleaned(sent.key), self._title(sent, rejected))
        before = last.get(book)
        known = {offer.key: offer for offer in before.markets.values()} if before else {}
        offers: dict[int, MarketOffer] = {}
        for market in capped(sent.markets or (), MAX_MARKETS, "too_many_markets", rejected):
            try:
                offer = self._market(names, market, sent, known.get(market.key), rejected)
            except UnusableTextError as refusal:
                rejected.append(str(refusal))
                continue
            if offer.market in offers:
                rejected.append("duplicate_market")
            else:
                offers[offer.market] = offer
        return book, offers

    def _market(
        self,
        names: EventNames,
        sent: _MarketBody,
        book: _BookBody,
        known: MarketOffer | None,
        rejected: list[str],
    ) -> MarketOffer:
        # captures before 2023 state the book's time only, live event odds the market's only
        stated = book.last_update if sent.last_update is None else sent.last_update
        outcomes = bytes(sent.outcomes)
        if known is not None and known.outcomes == outcomes:
            return known.confirmed(stated, self._book_time(stated, known, rejected))
        refused: list[str] = []
        key = cleaned(sent.key)
        listed = capped(_outcomes.decode(outcomes), MAX_OUTCOMES, "too_many_outcomes", refused)
        market = names.market(key, map(_name, listed))
        number = self._vocabulary.market(key) if market is None else market
        prices = self._prices(names, key, listed, refused)
        return MarketOffer(
            sent.key, outcomes, number, prices, stated, self._book_time(stated, None, rejected), tuple(refused)
        )

    def _book_time(self, stated: Stated, known: MarketOffer | None, rejected: list[str]) -> Micros:
        """When the book says it looked, but not later than we did: what is told ahead would stay fresh for hours."""
        if stated is None:
            return UNKNOWN_TIME
        try:
            at = wire_micros(stated)
        except ValueError:
            rejected.append("malformed_time")
            return UNKNOWN_TIME
        if at <= self._seen:
            return at
        if at > self._seen + CLOCKS_DIFFER_BY:
            rejected.append("time_ahead")
        # told once, it is confirmed once: the same statement is no new one
        return known.book_time if known is not None and known.stated == stated else self._seen

    def _prices(
        self, names: EventNames, market: str, outcomes: Sequence[_OutcomeBody], rejected: list[str]
    ) -> dict[QuoteKey, float]:
        prices: dict[QuoteKey, float] = {}
        for outcome in outcomes:
            try:
                quote, price = self._quote(names, market, outcome)
            except (RefusedError, UnusableTextError) as refusal:
                rejected.append(str(refusal))
                continue
            if quote in prices:
                rejected.append("duplicate_quote")
            else:
                prices[quote] = price
        if market == "spreads" and _is_one_sided(prices):
            rejected += ["points_not_opposite"] * len(prices)
            return {}
        return prices

    def _quote(self, names: EventNames, market: str, sent: _OutcomeBody) -> tuple[QuoteKey, float]:
        price = self._decimal(sent.price)
        point = None if sent.point is None else stored_point(sent.point)
        if point is None and market in WITH_LINES:
            raise RefusedError("point_missing")
        return (names.outcome(market, sent.name, sent.description), point), price

    @staticmethod
    def _title(sent: _BookBody, rejected: list[str]) -> str:
        """The book's title, or its key where there is none that can be shown."""
        if sent.title is not None:
            try:
                return cleaned(sent.title)
            except UnusableTextError as refusal:
                rejected.append(str(refusal))
        return cleaned(sent.key)


_name = attrgetter("name")


def _is_one_sided(handicaps: Mapping[QuoteKey, float]) -> bool:
    """Whether both sides have a handicap and none is the opposite of one of the other side."""
    home, away = ({point for side, point in handicaps if side == one} for one in _SIDES)
    return bool(home and away) and home.isdisjoint(-point for point in away if point is not None)
