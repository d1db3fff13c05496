"""Merge captures of the same sport and time: markets or regions are often requested separately."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec
import zstandard
from msgspec.structs import replace

from edge_assets.feeds.recordings.capture_reader import ParsedCapture
from edge_assets.feeds.recordings.decoding import decode_events
from edge_assets.feeds.recordings.snapshots import describe_content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.feeds.recordings.wire import RawBookmaker, RawEventOdds


class PriceConflictError(ValueError):
    """Two captures of the same time contradict each other."""


def merge_captures(first: ParsedCapture, second: ParsedCapture) -> ParsedCapture:
    """Merge two captures of the same sport and time: every event, book and market of either.

    Raises:
        PriceConflictError: they have different prices in a market, or different price formats.
    """
    if first.packed == second.packed:
        return first
    first_events, second_events = (
        decode_events(zstandard.decompress(reading.packed), []) for reading in (first, second)
    )
    if first.content.markets and second.content.markets and first.content.american != second.content.american:
        msg = "one has American prices, the other decimal"
        raise PriceConflictError(msg)
    events = merge_events(first_events, second_events)
    return ParsedCapture(
        first.path,
        first.at,
        first.sport,
        first.title or second.title,
        describe_content(events),
        memoryview(zstandard.compress(msgspec.json.encode(events))).tobytes(),
        is_multi_sport=first.is_multi_sport and second.is_multi_sport,
        rejected=first.rejected + second.rejected,
        is_rewritten=True,
    )


def merge_events(first: Iterable[RawEventOdds], second: Iterable[RawEventOdds]) -> list[RawEventOdds]:
    """The events of two lists, each once, with the books of both.

    Raises:
        PriceConflictError: they have different prices in a market.
    """
    found: dict[str, RawEventOdds] = {}
    for event in chain(first, second):
        known = found.setdefault(event.id, event)
        if known is not event:
            found[event.id] = replace(known, bookmakers=_merge_books(known.bookmakers, event.bookmakers))
    return list(found.values())


def _merge_books(first: Iterable[RawBookmaker], second: Iterable[RawBookmaker]) -> list[RawBookmaker]:
    found: dict[str, RawBookmaker] = {}
    for book in chain(first, second):
        known = found.setdefault(book.key, book)
        if known is book:
            continue
        markets = {market.key: market for market in known.markets}
        for market in book.markets:
            if markets.setdefault(market.key, market).outcomes != market.outcomes:
                msg = f"{book.key} has different prices in {market.key}"
                raise PriceConflictError(msg)
        found[book.key] = replace(known, markets=list(markets.values()))
    return list(found.values())
