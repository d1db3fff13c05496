"""Snapshots built from structs instead of recorded bytes."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import UNSET

from edge_assets.feeds.odds_api.conversions import PriceFormat, parse_wire_micros
from edge_assets.feeds.recordings.price_formats import detect_price_format
from edge_assets.feeds.recordings.source import SnapshotContent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from msgspec import Struct

    from edge_assets.feeds.recordings.wire import RawEventOdds

EXTRA_FIELDS = ("link", "sid", "bet_limit", "multiplier", "home_rotation", "away_rotation")


@dataclass(frozen=True, slots=True)
class ComposedSnapshot:
    """A snapshot built from structs, usually with decimal prices and ISO times."""

    captured_at: datetime
    events: Sequence[RawEventOdds]
    body: None = None

    @property
    def content(self) -> SnapshotContent:
        """Derived from the events on demand."""
        return describe_content(self.events)


def describe_content(events: Sequence[RawEventOdds]) -> SnapshotContent:
    """The events, books, markets and formats that occur in a list of events."""
    books = [book for event in events for book in event.bookmakers]
    markets = [market for book in books for market in book.markets]
    outcomes = [outcome for market in markets for outcome in market.outcomes]
    return SnapshotContent(
        {event.id: parse_wire_micros(event.commence_time) for event in events},
        frozenset(book.key for book in books),
        frozenset(market.key for market in markets),
        american=detect_price_format(events) is PriceFormat.AMERICAN,
        unix=any(isinstance(event.commence_time, int) for event in events),
        extras=any(map(_has_extras, (events, books, markets, outcomes))),
    )


def _has_extras(parts: Sequence[Struct]) -> bool:
    """Whether any of the parts, all of one type, has an extra field. Fast: a week of one league has a million parts."""
    if not parts:
        return False
    names = [name for name in EXTRA_FIELDS if name in parts[0].__struct_fields__]
    nothing = (UNSET,) * len(names)
    return any(found != nothing for found in map(attrgetter(*names), parts))
