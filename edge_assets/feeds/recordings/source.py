"""What the server plays: a source of market snapshots, each valid from the moment it was captured.

A recording implements `SnapshotSource` from files, the simulator from pure functions of time.
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
    """What a body holds, known without decoding it: lets an unaltered answer skip decoding and encoding.

    `starts` are the events with theirs, `extras` the fields that come only when asked for: links, limits, rotation
    numbers.
    """

    starts: Mapping[str, Micros]
    books: frozenset[str]
    markets: frozenset[str]
    american: bool
    unix: bool
    extras: bool


class Snapshot(Protocol):
    """The whole unfiltered list of a sport's events with odds, as it stood from `captured_at` on."""

    @property
    def captured_at(self) -> datetime:
        """When the feed was asked, aware UTC."""
        ...

    @property
    def events(self) -> Sequence[RawEventOdds]:
        """Every event, in the feed's order; times and prices as `content` says."""
        ...

    @property
    def body(self) -> bytes | None:
        """The recorded bytes of `events`, if there are any."""
        ...

    @property
    def content(self) -> SnapshotContent:
        """Which books and markets occur, and in which formats."""
        ...


class Neighbours(NamedTuple):
    """Capture times directly before and after a snapshot; None at either end of the tape."""

    previous: datetime | None
    next: datetime | None


class SnapshotSource(Protocol):
    """A source of snapshots."""

    @property
    def captures(self) -> Sequence[Capture]:
        """Every capture in order; empty if the tape is a function of time without end, like the simulator."""
        ...

    def sports(self) -> Sequence[RawSport]:
        """The sports that the tape knows; any other is answered with UNKNOWN_SPORT."""
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
