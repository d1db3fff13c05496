"""Captures that ask for one region, market or event at a time, as what stands after each: silence is no withdrawal."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import zstandard
from msgspec.structs import replace

from edge_assets.books import well_known_books
from edge_assets.clock import micros
from edge_assets.coverage import Answer, Coverage, Profile
from edge_assets.feeds.replay.bodies import as_datetime
from edge_assets.feeds.replay.decoding import decode_events
from edge_assets.feeds.replay.formats import to_american, to_decimal
from edge_assets.feeds.replay.markets import with_lay_twins
from edge_assets.feeds.replay.merging import merged_events
from edge_assets.feeds.replay.reading import Reading
from edge_assets.feeds.replay.snapshots import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from edge_assets.coverage import Covered
    from edge_assets.feeds.replay.bodies import Bookmaker, EventOdds, Market

PLAYED_WITHIN = timedelta(days=1)
"""From the start of an event; what stands on it then is not carried on."""


def carried(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The captures of one sport in order of time, each with what stands of those before that it does not cover."""
    titles: dict[str, str] = {}
    coverage: Coverage[str] = Coverage(lambda book: _profile(book, titles))
    last: Reading | None = None
    for reading in readings:
        content = reading.content
        if last is not None and not last.content.books <= content.books:
            titles |= _titles(last) | _titles(reading)
        markets = with_lay_twins(tuple(content.markets))
        covered = coverage.follow(Answer(content.books, markets, content.starts, micros(reading.at)))
        last = reading if last is None or _is_whole(last, covered) else _beside(last, reading, covered)
        yield last


def _is_whole(last: Reading, covered: Covered[str]) -> bool:
    """Whether nothing of the last capture can stand beside what a new one covers."""
    stood = last.content
    return stood.books <= covered.books and stood.markets <= covered.markets and stood.starts.keys() <= covered.events


def _beside(last: Reading, reading: Reading, covered: Covered[str]) -> Reading:
    """A capture with what stands of the last one that it does not cover."""
    american = (reading if reading.content.markets else last).content.american
    convert = None if last.content.american == american else american
    listed = _events(reading)
    matches = {_match(event): event.id for event in listed if event.home_team}
    stand = [
        replace(event, bookmakers=books)
        for event in _events(last)
        if as_datetime(event.commence_time) > reading.at - PLAYED_WITHIN
        and matches.get(_match(event), event.id) == event.id
        and (books := list(_uncovered(event, covered, american=convert)))
    ]
    events = merged_events(listed, stand)
    packed = memoryview(zstandard.compress(msgspec.json.encode(events))).tobytes()
    return dataclasses.replace(reading, content=content_of(events)._replace(american=american), packed=packed)


def _match(event: EventOdds) -> tuple[str | None, str | None, datetime]:
    """What stays the same when an event gets another id."""
    return event.home_team, event.away_team, as_datetime(event.commence_time)


def _uncovered(event: EventOdds, covered: Covered[str], *, american: bool | None) -> Iterator[Bookmaker]:
    books = covered.books if event.id in covered.events else frozenset[str]()
    for book in event.bookmakers:
        markets = [m for m in book.markets if book.key not in books or m.key not in covered.markets]
        if markets:
            yield replace(book, markets=[_converted(market, american=american) for market in markets])


def _converted(market: Market, *, american: bool | None) -> Market:
    if american is None:
        return market
    convert = to_american if american else to_decimal
    return replace(market, outcomes=[replace(outcome, price=convert(outcome.price)) for outcome in market.outcomes])


def _events(reading: Reading) -> list[EventOdds]:
    return decode_events(zstandard.decompress(reading.packed), [])


def _titles(reading: Reading) -> dict[str, str]:
    return {book.key: book.title for event in _events(reading) for book in event.bookmakers}


def _profile(book: str, titles: dict[str, str]) -> Profile:
    known = well_known_books().get(book)
    return Profile(titles.get(book, book), frozenset(known.regions if known else ()))
