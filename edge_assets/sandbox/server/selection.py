"""Filter and convert a snapshot to the requested events, books, markets and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from edge_assets.feeds.recordings.conversions import to_american, to_decimal, to_iso, to_unix
from edge_assets.reference.markets import with_lay_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_assets.feeds.recordings.source import Snapshot, SnapshotContent
    from edge_assets.feeds.recordings.wire import (
        Number,
        RawBookmaker,
        RawEventOdds,
        RawMarket,
        RawOutcome,
        WireTime,
    )
    from edge_assets.sandbox.server.params import EventQuery, OddsQuery

_ROTATION_FIELDS = frozenset({"home_rotation", "away_rotation"})
_ODDS_EXTRA_FIELDS = frozenset({"link", "sid", "bet_limit", "multiplier"})


def raw_body_for(snapshot: Snapshot, query: OddsQuery) -> bytes | None:
    """The recorded bytes, if they already are the response: this saves decoding and encoding."""
    content = snapshot.content
    fits = (
        query.events.is_unfiltered
        and not (query.extras or query.events.rotation or content.extras)
        and (content.unix == query.events.unix or not content.starts)
        and (content.american == query.american or not content.markets)
        and content.markets <= with_lay_twins(query.markets)
        and all(map(query.books.admits, content.books))
    )
    return snapshot.body if fits else None


def select_events(events: Sequence[RawEventOdds], content: SnapshotContent, query: EventQuery) -> list[RawEventOdds]:
    """The requested events, with all their books, and with times in the requested format."""
    time = _time_converter(content, unix=query.unix)
    extras = _ROTATION_FIELDS if query.rotation else frozenset[str]()
    return [
        replace(event, commence_time=time(event.commence_time), **_extra_fields(event, _ROTATION_FIELDS, extras))
        for event in events
        if query.admits(event)
    ]


def select_odds(
    events: Sequence[RawEventOdds], content: SnapshotContent, query: OddsQuery, *, book_updates: bool = True
) -> list[RawEventOdds]:
    """The requested events, books and markets; an event without books stays.

    Without `book_updates` only markets have `last_update`, as in the odds of a single live event.
    """
    selector = _OddsSelector(query, content, book_updates)
    selected = select_events(events, content, query.events)
    return [replace(event, bookmakers=selector.select_books(event)) for event in selected]


class _OddsSelector:
    """Selects and converts books, markets and outcomes."""

    def __init__(self, query: OddsQuery, content: SnapshotContent, book_updates: bool) -> None:
        self._query = query
        self._markets = with_lay_twins(query.markets)
        self._book_updates = book_updates
        self._convert_time = _time_converter(content, unix=query.events.unix)
        self._convert_price = _price_converter(content, american=query.american)
        self._is_without_extras = not content.extras and not query.extras

    def select_books(self, event: RawEventOdds) -> list[RawBookmaker]:
        selected = [self._select_book(book) for book in event.bookmakers if self._query.books.admits(book.key)]
        return [book for book in selected if book.markets]

    def _select_book(self, book: RawBookmaker) -> RawBookmaker:
        updated = book.last_update if book.last_update is UNSET else self._convert_time(book.last_update)
        markets = [self._select_market(market, updated) for market in book.markets if market.key in self._markets]
        shown = updated if self._book_updates else UNSET
        return replace(book, last_update=shown, markets=markets, **self._select_extras(book))

    def _select_market(self, market: RawMarket, book_updated: WireTime | UnsetType) -> RawMarket:
        updated = market.last_update if market.last_update is UNSET else self._convert_time(market.last_update)
        if updated is UNSET and not self._book_updates:
            updated = book_updated
        outcomes = market.outcomes
        if self._convert_price or not self._is_without_extras:
            outcomes = [self._select_outcome(outcome) for outcome in outcomes]
        return replace(market, last_update=updated, outcomes=outcomes, **self._select_extras(market))

    def _select_outcome(self, outcome: RawOutcome) -> RawOutcome:
        price = self._convert_price(outcome.price) if self._convert_price else outcome.price
        return replace(outcome, price=price, **self._select_extras(outcome))

    def _select_extras(self, part: Struct) -> dict[str, Any]:
        return {} if self._is_without_extras else _extra_fields(part, _ODDS_EXTRA_FIELDS, self._query.extras)


def _extra_fields(part: Struct, names: frozenset[str], requested: frozenset[str]) -> dict[str, Any]:
    """Fields to overwrite: unrequested ones are removed, requested but missing ones become null."""
    present = names.intersection(part.__struct_fields__)
    shown = {name: getattr(part, name) for name in present & requested}
    unknown = [name for name, value in shown.items() if value is UNSET]
    return shown | dict.fromkeys(unknown) | dict.fromkeys(present - requested, UNSET)


def _time_converter(content: SnapshotContent, *, unix: bool) -> Callable[[WireTime], WireTime]:
    if content.unix == unix:
        return _identity
    return to_unix if unix else to_iso


def _identity(value: WireTime) -> WireTime:
    return value


def _price_converter(content: SnapshotContent, *, american: bool) -> Callable[[Number | None], Number | None] | None:
    if content.american == american:
        return None
    return to_american if american else to_decimal
