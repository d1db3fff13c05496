"""What a look covers that is not at all that a sport has, and what stands beside it.

An answer about one event says nothing of the others. Of this one it surely covers the books and the markets that it
lists: where a listed book lacks a listed market, it has none. A book or a market that does not turn up at all may not
have been asked for, and stays as it was, with its age. So it is with an answer about a sport whose request is not known
(`ml.quotes.coverage`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ml.quotes import EventStarts, Market, MarketConfirmations, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BatchT = TypeVar("BatchT", MarketConfirmations, EventStarts)

FEATURED_MARKETS = np.array(list(Market), np.int16)
"""Answers about a whole sport hold these and no others (`h2h_h1` or `player_points` only come event by event)."""

MAX_EVENT_DURATION_MICROS: Micros = 24 * 3600 * 1_000_000
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
    def from_json(cls, stored: dict[str, Any]) -> Scope:
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

    def to_json(self) -> dict[str, Any]:
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

    def covered_mask(self, rows: QuoteBatch | MarketConfirmations) -> NDArray[np.bool_]:
        """Which rows (n,) the look covers."""
        books, markets = np.isin(rows.book, list(self.books)), np.isin(rows.market, list(self.markets))
        covered: NDArray[np.bool_] = books & markets
        events = self.events if self.event is None else {self.event}
        return covered if events is None else covered & np.isin(rows.event, list(events))


class Listing(NamedTuple):
    """What stands after a look: when each market was last confirmed, and the events with their starts."""

    times: MarketConfirmations
    starts: EventStarts

    def with_poll(self, scope: Scope, polled: Listing, at: Micros) -> Listing:
        """The same after a look of this moment that covers a part.

        Of what a look at a sport does not cover the events stay listed too, until they have surely been played.
        """
        uncovered = self.times.take(~scope.covered_mask(self.times))
        times = _concatenate(uncovered, polled.times.take(scope.covered_mask(polled.times)))
        if scope.event is None:
            unplayed = self.starts.commence_at > at - MAX_EVENT_DURATION_MICROS
            is_kept = (
                np.isin(self.starts.event, uncovered.event)
                & ~np.isin(self.starts.event, polled.starts.event)
                & unplayed
            )
            return Listing(times, _concatenate(self.starts.take(is_kept), polled.starts))
        other, same = self.starts.event != scope.event, polled.starts.event == scope.event
        return Listing(times, _concatenate(self.starts.take(other), polled.starts.take(same)))


def _concatenate(first: BatchT, second: BatchT) -> BatchT:
    return type(first)(*map(np.concatenate, zip(first.columns(), second.columns(), strict=True)))
