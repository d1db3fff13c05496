"""Parse the bytes of an event's books into offers; unusable parts are counted by reason.

Only a book that fails to decode is repaired first (`repair`), which costs ten times as much.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from edge_assets.core.texts import UnusableTextError
from edge_assets.feeds.odds_api.book_state import BookOffer, EventChange, EventOffer, MarketOffer, index_by_book
from edge_assets.feeds.odds_api.conversions import (
    DECIMAL_CONVERTERS,
    RejectedValueError,
    normalize_point,
    parse_wire_micros,
)
from edge_assets.feeds.odds_api.limits import (
    MAX_BOOK_KEYS_PER_PAYLOAD,
    MAX_BOOKS_PER_EVENT,
    MAX_BOOKS_PER_PAYLOAD,
    MAX_MARKETS_PER_BOOK,
    MAX_OUTCOMES_PER_MARKET,
    cap_parts,
)
from edge_assets.feeds.odds_api.market_mapping import MARKETS_WITH_POINT, OutcomeResolver, clean_name
from edge_assets.feeds.odds_api.repair import encode_json, repair_book
from edge_assets.feeds.odds_api.wire import DECODE_ERRORS
from ml.quotes import MAX_CLOCK_SKEW_MICROS, UNKNOWN_TIME, Micros, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edge_assets.feeds.odds_api.book_state import QuoteKey, Teams
    from edge_assets.feeds.odds_api.conversions import PriceFormat
    from edge_assets.feeds.odds_api.ids import IdResolver

OptionalWireTime: TypeAlias = str | int | None

_SIDE_OUTCOMES = (int(Outcome.HOME), int(Outcome.AWAY))


class _OutcomeBody(msgspec.Struct, gc=False, frozen=True):
    name: str
    price: float | None = None
    point: float | None = None
    description: str | None = None


class _MarketBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    outcomes: msgspec.Raw
    last_update: OptionalWireTime = None


class _BookBody(msgspec.Struct, gc=False, frozen=True):
    key: str
    markets: list[_MarketBody] | None = None
    title: str | None = None
    last_update: OptionalWireTime = None


_book_decoder = msgspec.json.Decoder(_BookBody)
_outcomes_decoder = msgspec.json.Decoder(list[_OutcomeBody])


class OfferReader:
    """Reads the books of one sport in one price format."""

    def __init__(self, ids: IdResolver, sport: str, price_format: PriceFormat) -> None:
        self._ids = ids
        self._sport = sport
        self._format = price_format
        self._to_decimal = DECIMAL_CONVERTERS[price_format]
        self._observed_at: Micros = UNKNOWN_TIME
        self._shown_books: set[int] = set()
        self._remaining_books = MAX_BOOKS_PER_PAYLOAD

    def begin_payload(self, observed_at: Micros) -> OfferReader:
        """Reset for a payload observed at this time, which caps its confirmation times."""
        self._observed_at, self._shown_books, self._remaining_books = observed_at, set(), MAX_BOOKS_PER_PAYLOAD
        return self

    def read_event(
        self, event: int, teams: Teams, bodies: Sequence[msgspec.Raw], before: EventOffer, rejected: list[str]
    ) -> tuple[EventOffer, EventChange]:
        """Read the books of an event, reusing the offers in `before` whose bytes did not change."""
        known = before if teams == before.teams else EventOffer(teams, {})
        bodies = cap_parts(bodies, MAX_BOOKS_PER_EVENT, "too_many_books", rejected)
        bodies = cap_parts(bodies, self._remaining_books, "too_many_books_in_response", rejected)
        self._remaining_books -= len(bodies)
        # lazily, so that each copy is freed before the next one and they reuse the same memory
        found = list(map(known.books.get, map(bytes, bodies)))
        new = [bytes(body) for body, offer in zip(bodies, found, strict=True) if offer is None]
        books = {offer.body: offer for offer in found if offer is not None}
        rejected += ["duplicate_book"] * (len(found) - len(new) - len(books))
        old = index_by_book(set(before.books.values()).difference(books.values()))
        names = OutcomeResolver(self._ids, self._sport, *teams)
        added: dict[int, BookOffer] = {}
        taken = set(map(attrgetter("book"), books.values()))
        self._shown_books |= taken
        for offer in self._read_books(event, names, new, old if known is before else {}, rejected):
            if offer.book in taken:
                rejected.append("duplicate_book")
            elif offer.book not in self._shown_books and len(self._shown_books) >= MAX_BOOK_KEYS_PER_PAYLOAD:
                rejected.append("too_many_book_keys")
            else:
                taken.add(offer.book)
                self._shown_books.add(offer.book)
                added[offer.book] = books[offer.body] = offer
        return EventOffer(teams, books), EventChange(event, old, added)

    def _read_books(
        self,
        event: int,
        names: OutcomeResolver,
        bodies: Iterable[bytes],
        last: Mapping[int, BookOffer],
        rejected: list[str],
    ) -> Iterator[BookOffer]:
        for body in bodies:
            try:
                yield self._read_book(event, names, body, last)
            except (RejectedValueError, UnusableTextError) as error:
                rejected.append(str(error))

    def _read_book(self, event: int, names: OutcomeResolver, body: bytes, last: Mapping[int, BookOffer]) -> BookOffer:
        rejected: list[str] = []
        try:
            book, markets = self._read_markets(names, body, last, rejected)
        except DECODE_ERRORS:
            rejected = []
            repaired = encode_json(repair_book(body, rejected, self._format))
            book, markets = self._read_markets(names, repaired, last, rejected)
        return BookOffer.from_markets(body, event, book, markets, rejected)

    def _read_markets(
        self, names: OutcomeResolver, body: bytes, last: Mapping[int, BookOffer], rejected: list[str]
    ) -> tuple[int, dict[int, MarketOffer]]:
        sent = _book_decoder.decode(body)
        book = self._ids.book(clean_name(sent.key), self._book_title(sent, rejected))
        before = last.get(book)
        known = {offer.key: offer for offer in before.markets.values()} if before else {}
        offers: dict[int, MarketOffer] = {}
        for market in cap_parts(sent.markets or (), MAX_MARKETS_PER_BOOK, "too_many_markets", rejected):
            try:
                offer = self._read_market(names, market, sent, known.get(market.key), rejected)
            except UnusableTextError as error:
                rejected.append(str(error))
                continue
            if offer.market in offers:
                rejected.append("duplicate_market")
            else:
                offers[offer.market] = offer
        return book, offers

    def _read_market(
        self,
        names: OutcomeResolver,
        sent: _MarketBody,
        book: _BookBody,
        known: MarketOffer | None,
        rejected: list[str],
    ) -> MarketOffer:
        # captures before 2023 state the book's time only, live event odds the market's only
        stated = book.last_update if sent.last_update is None else sent.last_update
        outcomes = bytes(sent.outcomes)
        if known is not None and known.outcomes == outcomes:
            return known.with_confirmation(stated, self._book_time(stated, known, rejected))
        market_rejected: list[str] = []
        key = clean_name(sent.key)
        listed = cap_parts(
            _outcomes_decoder.decode(outcomes), MAX_OUTCOMES_PER_MARKET, "too_many_outcomes", market_rejected
        )
        market = names.resolve_market(key, map(_get_name, listed))
        market_id = self._ids.market(key) if market is None else market
        prices = self._read_prices(names, key, listed, market_rejected)
        return MarketOffer(
            sent.key,
            outcomes,
            market_id,
            prices,
            stated,
            self._book_time(stated, None, rejected),
            tuple(market_rejected),
        )

    def _book_time(self, stated: OptionalWireTime, known: MarketOffer | None, rejected: list[str]) -> Micros:
        """The book's stated time, capped at the time of receipt: a time in the future would stay fresh for hours."""
        if stated is None:
            return UNKNOWN_TIME
        try:
            at = parse_wire_micros(stated)
        except ValueError:
            rejected.append("malformed_time")
            return UNKNOWN_TIME
        if at <= self._observed_at:
            return at
        if at > self._observed_at + MAX_CLOCK_SKEW_MICROS:
            rejected.append("time_ahead")
        # a repeated statement is not a new confirmation
        return known.book_time if known is not None and known.stated_time == stated else self._observed_at

    def _read_prices(
        self, names: OutcomeResolver, market: str, outcomes: Sequence[_OutcomeBody], rejected: list[str]
    ) -> dict[QuoteKey, float]:
        prices: dict[QuoteKey, float] = {}
        for outcome in outcomes:
            try:
                quote, price = self._read_quote(names, market, outcome)
            except (RejectedValueError, UnusableTextError) as error:
                rejected.append(str(error))
                continue
            if quote in prices:
                rejected.append("duplicate_quote")
            else:
                prices[quote] = price
        if market == "spreads" and _has_unpaired_points(prices):
            rejected += ["points_not_opposite"] * len(prices)
            return {}
        return prices

    def _read_quote(self, names: OutcomeResolver, market: str, sent: _OutcomeBody) -> tuple[QuoteKey, float]:
        price = self._to_decimal(sent.price)
        point = None if sent.point is None else normalize_point(sent.point)
        if point is None and market in MARKETS_WITH_POINT:
            raise RejectedValueError("point_missing")
        return (names.resolve_outcome(market, sent.name, sent.description), point), price

    @staticmethod
    def _book_title(sent: _BookBody, rejected: list[str]) -> str:
        """The book's title, or its key if the title is missing or unusable."""
        if sent.title is not None:
            try:
                return clean_name(sent.title)
            except UnusableTextError as error:
                rejected.append(str(error))
        return clean_name(sent.key)


_get_name = attrgetter("name")


def _has_unpaired_points(handicaps: Mapping[QuoteKey, float]) -> bool:
    """Whether both sides have handicaps, but none of them is the opposite of one on the other side."""
    home, away = ({point for side, point in handicaps if side == one} for one in _SIDE_OUTCOMES)
    return bool(home and away) and home.isdisjoint(-point for point in away if point is not None)
