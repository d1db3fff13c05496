"""Decodes recorded answers as tolerantly as the live path does: what is odd is left out, the rest stays."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from edge_assets.feeds.loose_json import loosely_read
from edge_assets.feeds.odds_api.mending import encoded, mended_event, mended_events
from edge_assets.feeds.odds_api.numbers import RefusedError, wire_time
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
    known = [event for event in events if _has_start(event)]
    rejected += ["malformed_event"] * (len(events) - len(known))
    return known


def split_by_sport(body: bytes) -> dict[str, bytes]:
    """An answer's parts by sport, as recorded; under no name what says none."""
    if is_of_one_event(body):
        return dict.fromkeys([_sport_of(body)], body)
    try:
        if len(sports := {one.sport_key for one in _SPORTS.decode(body)}) == 1:
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
    return [_EVENT.decode(encoded(event)) for event in mended_events(body, rejected)]


def _lists_odds(events: list[dict[str, Any]]) -> bool:
    """Whether some event has a list of books, and their markets outcomes: other endpoints list these without."""
    lists = [event["bookmakers"] for event in events if "bookmakers" in event]
    books = [book for books in lists if isinstance(books, list) for book in books if isinstance(book, dict)]
    markets = [m for book in books if isinstance(book.get("markets"), list) for m in book["markets"]]
    return bool(lists) and (not markets or any(isinstance(m, dict) and "outcomes" in m for m in markets))


def _items(body: bytes) -> list[msgspec.Raw]:
    try:
        return _ITEMS.decode(body)
    except UNREADABLE:
        return [msgspec.Raw(encoded(event)) for event in mended_events(body, [])]


def _sport_of(item: bytes | msgspec.Raw) -> str:
    try:
        return _SPORT.decode(item).sport_key
    except UNREADABLE:
        pass
    try:
        return str(mended_event(bytes(item), [])["sport_key"])
    except RefusedError:
        return ""


def _has_start(event: EventOdds) -> bool:
    try:
        wire_time(event.commence_time)
    except ValueError:
        return False
    return True
