"""Switchable faults of the feed, for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from edge_assets.feeds.recordings.wire import RawOutcome, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_assets.feeds.recordings.wire import RawBookmaker, RawEventOdds, RawMarket, WireTime


class Faults(Struct, forbid_unknown_fields=True):
    """Fault switches; counters decrease with each request they affect.

    Transport: the next `rate_limited` calls get 429, the next `server_errors` get `server_error_status`, the next
    `truncated` bodies are cut in half; bodies take `slow_seconds`; quota headers are missing, or state `remaining`.
    Keys: invalid, deactivated, or on the free plan, which has no history.

    Content, by event id or book key: events vanish, lose their books, or have their start moved by seconds; books add a
    draw to two-way h2h, or have their `last_update` moved back by seconds.
    """

    rate_limited: int = 0
    server_errors: int = 0
    server_error_status: int = 503
    truncated: int = 0
    slow_seconds: float = 0.0
    missing_headers: bool = False
    remaining: int | None = None
    invalid_keys: set[str] = field(default_factory=set)
    deactivated_keys: set[str] = field(default_factory=set)
    free_keys: set[str] = field(default_factory=set)
    vanished_events: set[str] = field(default_factory=set)
    empty_events: set[str] = field(default_factory=set)
    shifted_starts: dict[str, int] = field(default_factory=dict)
    three_way_books: set[str] = field(default_factory=set)
    stale_books: dict[str, int] = field(default_factory=dict)

    def consume(self, counter: str) -> bool:
        """Whether a counter applies to this request; decrements it."""
        left: int = getattr(self, counter)
        setattr(self, counter, max(0, left - 1))
        return left > 0

    @property
    def has_content_faults(self) -> bool:
        """Whether any content switch is on."""
        return bool(self.vanished_events or self.empty_events or self.shifted_starts or self._distorted_books)

    def distort(self, events: Sequence[RawEventOdds], *, american: bool) -> Sequence[RawEventOdds]:
        """The events with all content faults applied."""
        if not self.has_content_faults:
            return events
        return [self._distort_event(event, american) for event in events if event.id not in self.vanished_events]

    @property
    def _distorted_books(self) -> set[str]:
        return self.three_way_books | set(self.stale_books)

    def _distort_event(self, event: RawEventOdds, american: bool) -> RawEventOdds:
        books = [] if event.id in self.empty_events else [self._distort_book(b, american) for b in event.bookmakers]
        start = _shift_time(event.commence_time, self.shifted_starts.get(event.id, 0))
        return replace(event, commence_time=start, bookmakers=books)

    def _distort_book(self, book: RawBookmaker, american: bool) -> RawBookmaker:
        if book.key not in self._distorted_books:
            return book
        back = -self.stale_books.get(book.key, 0)
        markets = [replace(m, last_update=_shift_time(m.last_update, back)) for m in book.markets]
        if book.key in self.three_way_books:
            markets = [_add_draw(market, american) for market in markets]
        return replace(book, last_update=_shift_time(book.last_update, back), markets=markets)


def _shift_time(time: WireTime | UnsetType, seconds: int) -> WireTime | UnsetType:
    if time is UNSET:
        return UNSET
    if isinstance(time, int):
        return time + seconds
    return format_time(parse_time(time) + timedelta(seconds=seconds))


def _add_draw(market: RawMarket, american: bool) -> RawMarket:
    if market.key != "h2h" or any(outcome.name == "Draw" for outcome in market.outcomes):
        return market
    return replace(market, outcomes=[*market.outcomes, RawOutcome("Draw", 300 if american else 4.0)])
