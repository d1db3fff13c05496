"""Cuts an answer out of a snapshot: events, books, markets and formats that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from edge_assets.feeds.replay.formats import to_american, to_decimal, to_iso, to_unix
from edge_assets.feeds.replay.markets import with_lay_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_assets.feeds.replay.bodies import (
        Bookmaker,
        EventOdds,
        Market,
        Number,
        Outcome,
        Stamp,
    )
    from edge_assets.feeds.replay.params import EventFilter, OddsQuery
    from edge_assets.feeds.replay.tape import Content, Snapshot

_ROTATION = frozenset({"home_rotation", "away_rotation"})
_ODDS_EXTRAS = frozenset({"link", "sid", "bet_limit", "multiplier"})


def unaltered(snapshot: Snapshot, query: OddsQuery) -> bytes | None:
    """The recorded bytes, if they are the answer as they stand: sending them saves decoding and encoding."""
    content = snapshot.content
    fits = (
        query.events.all_events
        and not (query.extras or query.events.rotation or content.extras)
        and (content.unix == query.events.unix or not content.starts)
        and (content.american == query.american or not content.markets)
        and content.markets <= with_lay_twins(query.markets)
        and all(map(query.books.admits, content.books))
    )
    return snapshot.body if fits else None


def select_events(events: Sequence[EventOdds], content: Content, wanted: EventFilter) -> list[EventOdds]:
    """The events that were asked for, with all their books, and with times in the format asked for."""
    time = _time_format(content, unix=wanted.unix)
    extras = _ROTATION if wanted.rotation else frozenset[str]()
    return [
        replace(event, commence_time=time(event.commence_time), **_extras(event, _ROTATION, extras))
        for event in events
        if wanted.admits(event)
    ]


def select_odds(
    events: Sequence[EventOdds], content: Content, query: OddsQuery, *, book_updates: bool = True
) -> list[EventOdds]:
    """The events, books and markets that were asked for; an event without books stays.

    Without `book_updates` only markets state when they were updated, as in the odds of a single live event.
    """
    cut = _Cut(query, content, book_updates)
    selected = select_events(events, content, query.events)
    return [replace(event, bookmakers=cut.books(event)) for event in selected]


class _Cut:
    """The part below the events."""

    def __init__(self, query: OddsQuery, content: Content, book_updates: bool) -> None:
        self._query = query
        self._markets = with_lay_twins(query.markets)
        self._book_updates = book_updates
        self._time = _time_format(content, unix=query.events.unix)
        self._price = _price_format(content, american=query.american)
        self._plain = not content.extras and not query.extras

    def books(self, event: EventOdds) -> list[Bookmaker]:
        cut = [self._book(book) for book in event.bookmakers if self._query.books.admits(book.key)]
        return [book for book in cut if book.markets]

    def _book(self, book: Bookmaker) -> Bookmaker:
        updated = book.last_update if book.last_update is UNSET else self._time(book.last_update)
        markets = [self._market(market, updated) for market in book.markets if market.key in self._markets]
        shown = updated if self._book_updates else UNSET
        return replace(book, last_update=shown, markets=markets, **self._extras(book))

    def _market(self, market: Market, book_updated: Stamp | UnsetType) -> Market:
        updated = market.last_update if market.last_update is UNSET else self._time(market.last_update)
        if updated is UNSET and not self._book_updates:
            updated = book_updated
        outcomes = market.outcomes
        if self._price or not self._plain:
            outcomes = [self._outcome(outcome) for outcome in outcomes]
        return replace(market, last_update=updated, outcomes=outcomes, **self._extras(market))

    def _outcome(self, outcome: Outcome) -> Outcome:
        price = self._price(outcome.price) if self._price else outcome.price
        return replace(outcome, price=price, **self._extras(outcome))

    def _extras(self, part: Struct) -> dict[str, Any]:
        return {} if self._plain else _extras(part, _ODDS_EXTRAS, self._query.extras)


def _extras(part: Struct, names: frozenset[str], wanted: frozenset[str]) -> dict[str, Any]:
    """Fields to overwrite: unwanted ones vanish, wanted but unknown ones become null."""
    present = names.intersection(part.__struct_fields__)
    shown = {name: getattr(part, name) for name in present & wanted}
    unknown = [name for name, value in shown.items() if value is UNSET]
    return shown | dict.fromkeys(unknown) | dict.fromkeys(present - wanted, UNSET)


def _time_format(content: Content, *, unix: bool) -> Callable[[Stamp], Stamp]:
    if content.unix == unix:
        return _same
    return to_unix if unix else to_iso


def _same(value: Stamp) -> Stamp:
    return value


def _price_format(content: Content, *, american: bool) -> Callable[[Number | None], Number | None] | None:
    if content.american == american:
        return None
    return to_american if american else to_decimal
