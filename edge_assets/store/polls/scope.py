"""Scope of polls that do not cover a whole sport.

A single-event response carries no information about other events. Of its own event it covers the books and markets that
it lists: if a listed book misses a listed market, it does not offer it. A book or market that does not appear at all
may not have been requested, and stays as it was, with its age. The same holds for a response about a sport whose
request is unknown (`ml.quotes.coverage`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ml.quotes import MICROS_PER_DAY, EventStarts, Market, MarketConfirmations, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BatchT = TypeVar("BatchT", MarketConfirmations, EventStarts)

FEATURED_MARKETS = np.array(list(Market), np.int16)
"""Responses about a whole sport contain only these (`h2h_h1` or `player_points` only come event by event)."""

MAX_EVENT_DURATION_MICROS: Micros = MICROS_PER_DAY
"""Microseconds after its start within which an event has ended."""


class Scope(NamedTuple):
    """The books and markets that a poll covers, of one event or of a sport's `events` (None: all).

    `starts` are the events, with their starts, listed by a response about a sport whose request is unknown.
    """

    event: int | None
    books: frozenset[int]
    markets: frozenset[int]
    events: frozenset[int] | None = None
    starts: Mapping[int, Micros] | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Scope:
        """As stored in `polls`."""
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
        """As stored in `polls`."""
        kept = {"books": sorted(self.books), "markets": sorted(self.markets)}
        if self.starts is not None:
            return kept | {"starts": sorted(self.starts.items())}
        events = {} if self.events is None else {"events": sorted(self.events)}
        return ({} if self.event is None else {"event": self.event}) | kept | events

    def includes(self, other: Scope) -> bool:
        """Whether the scope includes all of another scope of the sport."""
        if self.event is not None or not (other.books <= self.books and other.markets <= self.markets):
            return False
        return self.events is None or (other.events is not None and other.events <= self.events)

    def covers(self, event: int, book: int, market: int) -> bool:
        """Whether the poll covers this market of a book."""
        if book not in self.books or market not in self.markets:
            return False
        return event == self.event if self.event is not None else self.events is None or event in self.events

    def covered_mask(self, rows: QuoteBatch | MarketConfirmations) -> NDArray[np.bool_]:
        """Which rows (n,) the poll covers."""
        books, markets = np.isin(rows.book, list(self.books)), np.isin(rows.market, list(self.markets))
        covered: NDArray[np.bool_] = books & markets
        events = self.events if self.event is None else {self.event}
        return covered if events is None else covered & np.isin(rows.event, list(events))


class Listing(NamedTuple):
    """The state after a poll: when each market was last confirmed, and the listed events with their starts."""

    times: MarketConfirmations
    starts: EventStarts

    def with_poll(self, scope: Scope, polled: Listing, at: Micros) -> Listing:
        """The listing after a further poll at `at` that covers `scope`.

        Events outside the scope of a poll of the sport stay listed until they must have ended.
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
