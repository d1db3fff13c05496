"""Look up sports, snapshots and events of a source, with the active content faults applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_assets.feeds.recordings.snapshots import ComposedSnapshot
from edge_assets.sandbox.server.errors import ApiError

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.recordings.source import Snapshot, SnapshotSource
    from edge_assets.feeds.recordings.wire import RawEventOdds, RawSport
    from edge_assets.sandbox.server.faults import Faults


@dataclass(slots=True)
class Catalogue:
    """A source with faults, which may be replaced at any time."""

    source: SnapshotSource
    faults: Faults

    def find_sport(self, key: str) -> RawSport:
        """The sport, or UNKNOWN_SPORT."""
        for sport in self.source.sports():
            if sport.key == key:
                return sport
        raise ApiError("UNKNOWN_SPORT")

    def snapshot(self, sport: str, at: datetime) -> Snapshot | None:
        """The odds on offer at that time; None before the first capture."""
        snapshot = self.source.snapshot(sport, at)
        if snapshot is None or not self.faults.has_content_faults:
            return snapshot
        events = self.faults.distort(snapshot.events, american=snapshot.content.american)
        return ComposedSnapshot(snapshot.captured_at, events)

    def find_event(self, sport: str, event_id: str, at: datetime) -> tuple[Snapshot, RawEventOdds]:
        """An event and the snapshot that contains it, or EVENT_NOT_FOUND."""
        if snapshot := self.snapshot(sport, at):
            for event in snapshot.events:
                if event.id == event_id:
                    return snapshot, event
        raise ApiError("EVENT_NOT_FOUND")
