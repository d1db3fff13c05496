"""Complete captures of single regions, markets or events with the earlier offers that they do not cover."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import zstandard
from msgspec.structs import replace

from edge_assets.core.clock import to_micros
from edge_assets.feeds.recordings.capture_reader import ParsedCapture
from edge_assets.feeds.recordings.conversions import to_american, to_decimal
from edge_assets.feeds.recordings.decoding import decode_events
from edge_assets.feeds.recordings.merging import merge_events
from edge_assets.feeds.recordings.snapshots import describe_content
from edge_assets.feeds.recordings.wire import parse_time
from edge_assets.reference.books import load_known_books
from edge_assets.reference.markets import with_lay_twins
from ml.quotes.coverage import BookListing, CoverageTracker, PayloadContents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from edge_assets.feeds.recordings.wire import RawBookmaker, RawEventOdds, RawMarket
    from ml.quotes.coverage import CoveredScope

MAX_PLAY_DURATION = timedelta(days=1)
"""Offers on an event are not carried forward for longer than this after its start."""


def carry_forward(captures: Iterable[ParsedCapture]) -> Iterator[ParsedCapture]:
    """Yield the captures of one sport in time order, each completed with earlier offers that it does not cover."""
    titles: dict[str, str] = {}
    coverage: CoverageTracker[str] = CoverageTracker(lambda book: _profile(book, titles))
    last: ParsedCapture | None = None
    for capture in captures:
        content = capture.content
        if last is not None and not last.content.books <= content.books:
            titles |= _book_titles(last) | _book_titles(capture)
        markets = with_lay_twins(tuple(content.markets))
        covered = coverage.update(PayloadContents(content.books, markets, content.starts, to_micros(capture.at)))
        last = capture if last is None or _replaces_all(last, covered) else _carry_uncovered(last, capture, covered)
        yield last


def _replaces_all(last: ParsedCapture, covered: CoveredScope[str]) -> bool:
    """Whether a new capture covers everything in the last one."""
    last_content = last.content
    return (
        last_content.books <= covered.books
        and last_content.markets <= covered.markets
        and last_content.starts.keys() <= covered.events
    )


def _carry_uncovered(last: ParsedCapture, capture: ParsedCapture, covered: CoveredScope[str]) -> ParsedCapture:
    """Add the offers of the last capture that a new one does not cover."""
    american = (capture if capture.content.markets else last).content.american
    convert = None if last.content.american == american else american
    listed = _decode_capture(capture)
    matches = {_match_key(event): event.id for event in listed if event.home_team}
    carried_events = [
        replace(event, bookmakers=books)
        for event in _decode_capture(last)
        if parse_time(event.commence_time) > capture.at - MAX_PLAY_DURATION
        and matches.get(_match_key(event), event.id) == event.id
        and (books := list(_uncovered_books(event, covered, american=convert)))
    ]
    events = merge_events(listed, carried_events)
    packed = memoryview(zstandard.compress(msgspec.json.encode(events))).tobytes()
    return dataclasses.replace(capture, content=describe_content(events)._replace(american=american), packed=packed)


def _match_key(event: RawEventOdds) -> tuple[str | None, str | None, datetime]:
    """A key that stays the same when an event gets another id."""
    return event.home_team, event.away_team, parse_time(event.commence_time)


def _uncovered_books(
    event: RawEventOdds, covered: CoveredScope[str], *, american: bool | None
) -> Iterator[RawBookmaker]:
    books = covered.books if event.id in covered.events else frozenset[str]()
    for book in event.bookmakers:
        markets = [m for m in book.markets if book.key not in books or m.key not in covered.markets]
        if markets:
            yield replace(book, markets=[_convert_market(market, american=american) for market in markets])


def _convert_market(market: RawMarket, *, american: bool | None) -> RawMarket:
    if american is None:
        return market
    convert = to_american if american else to_decimal
    return replace(market, outcomes=[replace(outcome, price=convert(outcome.price)) for outcome in market.outcomes])


def _decode_capture(capture: ParsedCapture) -> list[RawEventOdds]:
    return decode_events(zstandard.decompress(capture.packed), [])


def _book_titles(capture: ParsedCapture) -> dict[str, str]:
    return {book.key: book.title for event in _decode_capture(capture) for book in event.bookmakers}


def _profile(book: str, titles: dict[str, str]) -> BookListing:
    known = load_known_books().get(book)
    return BookListing(titles.get(book, book), frozenset(known.regions if known else ()))
