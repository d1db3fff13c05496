"""Decode recorded responses as leniently as live ones: invalid parts are dropped, the rest is kept."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from msgspec.structs import replace

from edge_assets.feeds.lenient_json import parse_lenient_json
from edge_assets.feeds.odds_api.conversions import AMERICAN_EVEN_MONEY, PriceFormat, RejectedValueError, parse_wire_time
from edge_assets.feeds.odds_api.market_mapping import clean_sport_key
from edge_assets.feeds.odds_api.repair import encode_json, has_plus_sign, parse_number, repair_event, repair_events
from edge_assets.feeds.odds_api.wire import DECODE_ERRORS
from edge_assets.feeds.recordings.wire import RawEventOdds

_EVENTS_DECODER = msgspec.json.Decoder(list[RawEventOdds])
_EVENT_DECODER = msgspec.json.Decoder(RawEventOdds)


class _SportOnly(msgspec.Struct, gc=False, frozen=True):
    sport_key: str


_ITEMS_DECODER = msgspec.json.Decoder(list[msgspec.Raw])
_SPORTS_DECODER = msgspec.json.Decoder(list[_SportOnly])
_SPORT_DECODER = msgspec.json.Decoder(_SportOnly)


class NotOddsError(ValueError):
    """A response of another endpoint."""


def is_single_event(body: bytes) -> bool:
    """Whether an odds response is about one event, not a sport."""
    return body.lstrip()[:1] == b"{"


def decode_events(body: bytes, rejected: list[str]) -> list[RawEventOdds]:
    """Decode the events of a response, a list or a single one; add a reason to `rejected` for each dropped part.

    Raises:
        NotOddsError: it is not a list of odds.
        msgspec.DecodeError, UnicodeDecodeError: it is not complete JSON.
    """
    try:
        events = [_EVENT_DECODER.decode(body)] if is_single_event(body) else _EVENTS_DECODER.decode(body)
    except DECODE_ERRORS as error:
        events = _repair_events(body, error, rejected)
    return [known for event in events if (known := _clean_known_event(event, rejected))]


def split_by_sport(body: bytes) -> dict[str, bytes]:
    """The parts of a response by sport, as recorded; the key is empty if no sport is stated."""
    if is_single_event(body):
        return dict.fromkeys([_parse_sport(body)], body)
    try:
        if len(sports := {clean_sport_key(one.sport_key) for one in _SPORTS_DECODER.decode(body)}) == 1:
            return {sports.pop(): body}
    except DECODE_ERRORS:
        pass
    parts: dict[str, list[msgspec.Raw]] = defaultdict(list)
    for item in _split_items(body):
        parts[_parse_sport(item)].append(item)
    without_sport = parts.pop("", [])
    if len(parts) <= 1:
        return dict.fromkeys(parts or [""], body)
    # events without a sport are counted with the first one
    next(iter(parts.values())).extend(without_sport)
    return {sport: encode_json(found) for sport, found in parts.items()}


def _repair_events(body: bytes, failure: Exception, rejected: list[str]) -> list[RawEventOdds]:
    try:
        sent = parse_lenient_json(body)
    except ValueError:
        raise failure from None
    listed = sent if isinstance(sent, list) else [sent]
    if listed and not _has_odds([item for item in listed if isinstance(item, dict)]):
        raise NotOddsError(str(failure))
    price_format = PriceFormat.AMERICAN if _has_signed_prices(listed) else PriceFormat.DECIMAL
    return [_EVENT_DECODER.decode(encode_json(event)) for event in repair_events(body, rejected, price_format)]


def _has_signed_prices(events: list[Any]) -> bool:
    """Whether most prices that fit only one format are American."""
    odds = [event for event in events if isinstance(event, dict)]
    prices = [
        outcome.get("price")
        for market in _markets(odds)
        if isinstance(market, dict) and isinstance(market.get("outcomes"), list)
        for outcome in market["outcomes"]
        if isinstance(outcome, dict)
    ]
    signs = [
        is_signed
        for price in prices
        if (number := parse_number(price)) is not None
        and ((is_signed := has_plus_sign(price) or number <= -AMERICAN_EVEN_MONEY) or 1 < number < AMERICAN_EVEN_MONEY)
    ]
    return 2 * sum(signs) > len(signs)


def _markets(events: list[dict[str, Any]]) -> list[Any]:
    lists = [event.get("bookmakers") for event in events]
    books = [book for books in lists if isinstance(books, list) for book in books if isinstance(book, dict)]
    return [m for book in books if isinstance(book.get("markets"), list) for m in book["markets"]]


def _has_odds(events: list[dict[str, Any]]) -> bool:
    """Whether events have books and markets have outcomes; other endpoints list them without."""
    markets = _markets(events)
    return any("bookmakers" in event for event in events) and (
        not markets or any(isinstance(m, dict) and "outcomes" in m for m in markets)
    )


def _split_items(body: bytes) -> list[msgspec.Raw]:
    try:
        return _ITEMS_DECODER.decode(body)
    except DECODE_ERRORS:
        return [msgspec.Raw(encode_json(event)) for event in repair_events(body, [])]


def _parse_sport(item: bytes | msgspec.Raw) -> str:
    try:
        return clean_sport_key(_SPORT_DECODER.decode(item).sport_key)
    except DECODE_ERRORS:
        pass
    try:
        return str(repair_event(bytes(item), [])["sport_key"])
    except RejectedValueError:
        return ""


def _clean_known_event(event: RawEventOdds, rejected: list[str]) -> RawEventOdds | None:
    """The event with its normalized sport key; None if the key or the start is invalid."""
    try:
        parse_wire_time(event.commence_time)
    except ValueError:
        rejected.append("malformed_event")
        return None
    key = clean_sport_key(event.sport_key)
    if not key:
        rejected.append("malformed_sport_key")
        return None
    return event if key == event.sport_key else replace(event, sport_key=key)
