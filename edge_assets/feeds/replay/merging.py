"""Answers of one moment as one: markets or regions are often asked for one at a time."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec
import zstandard
from msgspec.structs import replace

from edge_assets.feeds.replay.decoding import decode_events
from edge_assets.feeds.replay.reading import Reading
from edge_assets.feeds.replay.snapshots import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.feeds.replay.bodies import Bookmaker, EventOdds


class PricesDifferError(ValueError):
    """Two answers of one moment that cannot both be true."""


def merged(first: Reading, second: Reading) -> Reading:
    """Both captures, which are of one sport and moment, as one: every event, book and market of either.

    Raises:
        PricesDifferError: they state different prices of one market, or write prices differently.
    """
    if first.packed == second.packed:
        return first
    one, other = (decode_events(zstandard.decompress(reading.packed), []) for reading in (first, second))
    if first.content.markets and second.content.markets and first.content.american != second.content.american:
        msg = "one writes American prices, the other decimal ones"
        raise PricesDifferError(msg)
    events = merged_events(one, other)
    return Reading(
        first.path,
        first.at,
        first.sport,
        first.title or second.title,
        content_of(events),
        memoryview(zstandard.compress(msgspec.json.encode(events))).tobytes(),
        of_several_sports=first.of_several_sports and second.of_several_sports,
        rejected=first.rejected + second.rejected,
        is_rewritten=True,
    )


def merged_events(first: Iterable[EventOdds], second: Iterable[EventOdds]) -> list[EventOdds]:
    """The events of two lists, each once, with the books of both.

    Raises:
        PricesDifferError: they state different prices of one market.
    """
    found: dict[str, EventOdds] = {}
    for event in chain(first, second):
        known = found.setdefault(event.id, event)
        if known is not event:
            found[event.id] = replace(known, bookmakers=_merged_books(known.bookmakers, event.bookmakers))
    return list(found.values())


def _merged_books(first: Iterable[Bookmaker], second: Iterable[Bookmaker]) -> list[Bookmaker]:
    found: dict[str, Bookmaker] = {}
    for book in chain(first, second):
        known = found.setdefault(book.key, book)
        if known is book:
            continue
        markets = {market.key: market for market in known.markets}
        for market in book.markets:
            if markets.setdefault(market.key, market).outcomes != market.outcomes:
                msg = f"{book.key} states different prices in {market.key}"
                raise PricesDifferError(msg)
        found[book.key] = replace(known, markets=list(markets.values()))
    return list(found.values())
