"""The interface of the sandbox servers: a source of market snapshots, each valid from its capture time.

Implemented by `Recording` from files and by the simulator as a pure function of time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from edge_assets.feeds.recordings.wire import RawEventOdds, RawScore, RawSport
    from ml.quotes import Micros


class Capture(NamedTuple):
    """When a sport was captured (aware UTC); sorts by time, then sport."""

    at: datetime
    sport: str


class SnapshotContent(NamedTuple):
    """What a body contains, known without decoding: an unfiltered response can be sent as recorded.

    `starts` maps event ids to starts; `extras` is whether optional fields occur: links, limits, rotation numbers.
    """

    starts: Mapping[str, Micros]
    books: frozenset[str]
    markets: frozenset[str]
    american: bool
    unix: bool
    extras: bool


class Snapshot(Protocol):
    """The complete unfiltered list of a sport's events with odds, valid from `captured_at`."""

    @property
    def captured_at(self) -> datetime:
        """When the feed was polled, aware UTC."""
        ...

    @property
    def events(self) -> Sequence[RawEventOdds]:
        """Every event, in the feed's order; `content` states the formats of times and prices."""
        ...

    @property
    def body(self) -> bytes | None:
        """The recorded bytes of `events`, if any."""
        ...

    @property
    def content(self) -> SnapshotContent:
        """The events, books and markets that occur, and the formats."""
        ...


class Neighbours(NamedTuple):
    """Capture times directly before and after a snapshot; None at either end of the source."""

    previous: datetime | None
    next: datetime | None


class SnapshotSource(Protocol):
    """A source of snapshots."""

    @property
    def captures(self) -> Sequence[Capture]:
        """Every capture in order; empty for an endless source such as the simulator."""
        ...

    def sports(self) -> Sequence[RawSport]:
        """The sports of the source; requests for others get UNKNOWN_SPORT."""
        ...

    def snapshot(self, sport: str, at: datetime) -> Snapshot | None:
        """The newest snapshot with `captured_at <= at`; None before the first one."""
        ...

    def neighbours(self, sport: str, at: datetime) -> Neighbours:
        """The capture times around the snapshot that `snapshot(sport, at)` returns."""
        ...

    def scores(self, sport: str, at: datetime) -> Sequence[RawScore]:
        """Events in play, soon to start, or completed within the three days before `at`, as known then."""
        ...
