"""What a look covers that is not at a whole sport, and what stands beside it.

An answer about one event says nothing of the others. Of this one it surely covers the books and the markets that it
lists: where a listed book lacks a listed market, it has none. A book or a market that does not turn up at all may not
have been asked for, and stays as it was, with its age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ml.quotes import EventStarts, Market, MarketTimes, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

C = TypeVar("C", MarketTimes, EventStarts)

BULK_MARKETS = np.array(list(Market), np.int16)
"""Answers about a whole sport hold these and no others (`h2h_h1` or `player_points` only come event by event)."""


class Scope(NamedTuple):
    """The books and markets of an event that were looked at."""

    event: int
    books: frozenset[int]
    markets: frozenset[int]

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> Scope:
        """As `polls` has it."""
        return cls(stored["event"], frozenset(stored["books"]), frozenset(stored["markets"]))

    def as_json(self) -> dict[str, Any]:
        """As `polls` has it."""
        return {"event": self.event, "books": sorted(self.books), "markets": sorted(self.markets)}

    def holds(self, rows: QuoteBatch | MarketTimes) -> NDArray[np.bool_]:
        """Which rows (n,) the look covers."""
        books, markets = np.isin(rows.book, list(self.books)), np.isin(rows.market, list(self.markets))
        held: NDArray[np.bool_] = (rows.event == self.event) & books & markets
        return held


class Listing(NamedTuple):
    """What stands after a look: when each market was last confirmed, and the events with their starts."""

    times: MarketTimes
    starts: EventStarts

    def with_look(self, scope: Scope, seen: Listing) -> Listing:
        """The same after a look at one event."""
        times = self.times.take(~scope.holds(self.times)), seen.times.take(scope.holds(seen.times))
        other, same = self.starts.event != scope.event, seen.starts.event == scope.event
        return Listing(_joined(*times), _joined(self.starts.take(other), seen.starts.take(same)))


def _joined(some: C, others: C) -> C:
    return type(some)(*map(np.concatenate, zip(some.columns(), others.columns(), strict=True)))
