"""Decodes recorded answers as tolerantly as the live path does: what is odd is left out, the rest stays."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from msgspec.structs import replace

from edge_assets.feeds.loose_json import loosely_read
from edge_assets.feeds.odds_api.mending import encoded, has_plus, mended_event, mended_events, number_of
from edge_assets.feeds.odds_api.naming import sport_key_of
from edge_assets.feeds.odds_api.numbers import EVEN, PriceFormat, RefusedError, wire_time
from edge_assets.feeds.odds_api.wire import UNREADABLE
from edge_assets.feeds.replay.bodies import EventOdds

_EVENTS = msgspec.json.Decoder(list[EventOdds])
_EVENT = msgspec.json.Decoder(EventOdds)


class _Sport(msgspec.Struct, gc=False, frozen=True):
    sport_key: str


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_SPORTS = msgspec.json.Decoder(list[_Sport])
_SPORT = msgspec.json.Decoder(_Sport)


class NotOddsError(ValueError):
    """An answer, but of another endpoint."""


def is_of_one_event(body: bytes) -> bool:
    """Whether an answer with odds is about one event, not a sport."""
    return body.lstrip()[:1] == b"{"


def decode_events(body: bytes, rejected: list[str]) -> list[EventOdds]:
    """The events with odds that an answer holds, a list of them or a single one; reasons for parts that are left out.

    Raises:
        NotOddsError: it lists no odds.
        msgspec.DecodeError, UnicodeDecodeError: it is no complete JSON.
    """
    try:
        events = [_EVENT.decode(body)] if is_of_one_event(body) else _EVENTS.decode(body)
    except UNREADABLE as error:
        events = _mended(body, error, rejected)
    return [known for event in events if (known := _known(event, rejected))]


def split_by_sport(body: bytes) -> dict[str, bytes]:
    """An answer's parts by sport, as recorded; under no name what says none."""
    if is_of_one_event(body):
        return dict.fromkeys([_sport_of(body)], body)
    try:
        if len(sports := {sport_key_of(one.sport_key) for one in _SPORTS.decode(body)}) == 1:
            return {sports.pop(): body}
    except UNREADABLE:
        pass
    parts: dict[str, list[msgspec.Raw]] = defaultdict(list)
    for item in _items(body):
        parts[_sport_of(item)].append(item)
    odd = parts.pop("", [])
    if len(parts) <= 1:
        return dict.fromkeys(parts or [""], body)
    # what says no sport is counted with the first one
    next(iter(parts.values())).extend(odd)
    return {sport: encoded(found) for sport, found in parts.items()}


def _mended(body: bytes, failure: Exception, rejected: list[str]) -> list[EventOdds]:
    try:
        sent = loosely_read(body)
    except ValueError:
        raise failure from None
    listed = sent if isinstance(sent, list) else [sent]
    if listed and not _lists_odds([item for item in listed if isinstance(item, dict)]):
        raise NotOddsError(str(failure))
    price_format = PriceFormat.AMERICAN if _are_signed(listed) else PriceFormat.DECIMAL
    return [_EVENT.decode(encoded(event)) for event in mended_events(body, rejected, price_format)]


def _are_signed(events: list[Any]) -> bool:
    """Whether most prices of an answer that are texts or numbers of either kind can only be American ones."""
    odds = [event for event in events if isinstance(event, dict)]
    prices = [
        outcome.get("price")
        for market in _markets(odds)
        if isinstance(market, dict) and isinstance(market.get("outcomes"), list)
        for outcome in market["outcomes"]
        if isinstance(outcome, dict)
    ]
    told = [
        is_signed
        for price in prices
        if (number := number_of(price)) is not None
        and ((is_signed := has_plus(price) or number <= -EVEN) or 1 < number < EVEN)
    ]
    return 2 * sum(told) > len(told)


def _markets(events: list[dict[str, Any]]) -> list[Any]:
    lists = [event.get("bookmakers") for event in events]
    books = [book for books in lists if isinstance(books, list) for book in books if isinstance(book, dict)]
    return [m for book in books if isinstance(book.get("markets"), list) for m in book["markets"]]


def _lists_odds(events: list[dict[str, Any]]) -> bool:
    """Whether some event has a list of books, and their markets outcomes: other endpoints list these without."""
    markets = _markets(events)
    return any("bookmakers" in event for event in events) and (
        not markets or any(isinstance(m, dict) and "outcomes" in m for m in markets)
    )


def _items(body: bytes) -> list[msgspec.Raw]:
    try:
        return _ITEMS.decode(body)
    except UNREADABLE:
        return [msgspec.Raw(encoded(event)) for event in mended_events(body, [])]


def _sport_of(item: bytes | msgspec.Raw) -> str:
    try:
        return sport_key_of(_SPORT.decode(item).sport_key)
    except UNREADABLE:
        pass
    try:
        return str(mended_event(bytes(item), [])["sport_key"])
    except RefusedError:
        return ""


def _known(event: EventOdds, rejected: list[str]) -> EventOdds | None:
    """The event under the key of its sport, if it has that and a start."""
    try:
        wire_time(event.commence_time)
    except ValueError:
        rejected.append("malformed_event")
        return None
    key = sport_key_of(event.sport_key)
    if not key:
        rejected.append("malformed_sport_key")
        return None
    return event if key == event.sport_key else replace(event, sport_key=key)
