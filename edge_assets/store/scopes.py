"""What a look covers that is not at all that a sport has, and what stands beside it.

An answer about one event says nothing of the others. Of this one it surely covers the books and the markets that it
lists: where a listed book lacks a listed market, it has none. A book or a market that does not turn up at all may not
have been asked for, and stays as it was, with its age. So it is with an answer about a sport whose request is not known
(`edge_assets.coverage`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ml.quotes import EventStarts, Market, MarketTimes, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

C = TypeVar("C", MarketTimes, EventStarts)

BULK_MARKETS = np.array(list(Market), np.int16)
"""Answers about a whole sport hold these and no others (`h2h_h1` or `player_points` only come event by event)."""

PLAYED_WITHIN: Micros = 24 * 3600 * 1_000_000
"""Microseconds from the start of an event within which its result is there."""


class Scope(NamedTuple):
    """The books and markets that were looked at, of one event or of a sport's (of all, if `events` is None).

    `starts` are the events that an answer about a sport listed whose request is not known, and when they begin.
    """

    event: int | None
    books: frozenset[int]
    markets: frozenset[int]
    events: frozenset[int] | None = None
    starts: Mapping[int, Micros] | None = None

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> Scope:
        """As `polls` has it."""
        starts = None if stored.get("starts") is None else dict(stored["starts"])
        events = stored.get("events", starts)
        return cls(
            stored.get("event"),
            frozenset(stored["books"]),
            frozenset(stored["markets"]),
            None if events is None else frozenset(events),
            starts,
        )

    def as_json(self) -> dict[str, Any]:
        """As `polls` has it."""
        kept = {"books": sorted(self.books), "markets": sorted(self.markets)}
        if self.starts is not None:
            return kept | {"starts": sorted(self.starts.items())}
        events = {} if self.events is None else {"events": sorted(self.events)}
        return ({} if self.event is None else {"event": self.event}) | kept | events

    def includes(self, other: Scope) -> bool:
        """Whether the look was at everything that another one at the sport was at."""
        if self.event is not None or not (other.books <= self.books and other.markets <= self.markets):
            return False
        return self.events is None or (other.events is not None and other.events <= self.events)

    def covers(self, event: int, book: int, market: int) -> bool:
        """Whether the look would have shown this market of a book."""
        if book not in self.books or market not in self.markets:
            return False
        return event == self.event if self.event is not None else self.events is None or event in self.events

    def holds(self, rows: QuoteBatch | MarketTimes) -> NDArray[np.bool_]:
        """Which rows (n,) the look covers."""
        books, markets = np.isin(rows.book, list(self.books)), np.isin(rows.market, list(self.markets))
        held: NDArray[np.bool_] = books & markets
        events = self.events if self.event is None else {self.event}
        return held if events is None else held & np.isin(rows.event, list(events))


class Listing(NamedTuple):
    """What stands after a look: when each market was last confirmed, and the events with their starts."""

    times: MarketTimes
    starts: EventStarts

    def with_look(self, scope: Scope, seen: Listing, at: Micros) -> Listing:
        """The same after a look of this moment that covers a part.

        Of what a look at a sport does not cover the events stay listed too, until they have surely been played.
        """
        left = self.times.take(~scope.holds(self.times))
        times = _joined(left, seen.times.take(scope.holds(seen.times)))
        if scope.event is None:
            unplayed = self.starts.commence_at > at - PLAYED_WITHIN
            stay = np.isin(self.starts.event, left.event) & ~np.isin(self.starts.event, seen.starts.event) & unplayed
            return Listing(times, _joined(self.starts.take(stay), seen.starts))
        other, same = self.starts.event != scope.event, seen.starts.event == scope.event
        return Listing(times, _joined(self.starts.take(other), seen.starts.take(same)))


def _joined(some: C, others: C) -> C:
    return type(some)(*map(np.concatenate, zip(some.columns(), others.columns(), strict=True)))
