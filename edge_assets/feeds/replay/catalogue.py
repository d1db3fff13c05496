"""Finds sports, snapshots and events on a tape, with the content faults that are switched on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_assets.feeds.replay.errors import ApiError
from edge_assets.feeds.replay.snapshots import ComposedSnapshot

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.replay.bodies import EventOdds, Sport
    from edge_assets.feeds.replay.faults import Faults
    from edge_assets.feeds.replay.tape import Snapshot, Tape


@dataclass(slots=True)
class Catalogue:
    """A tape as seen through faults, which may be exchanged at any time."""

    tape: Tape
    faults: Faults

    def sport(self, key: str) -> Sport:
        """The sport, or UNKNOWN_SPORT."""
        for sport in self.tape.sports():
            if sport.key == key:
                return sport
        raise ApiError("UNKNOWN_SPORT")

    def snapshot(self, sport: str, at: datetime) -> Snapshot | None:
        """What was on offer at that time; None before the first capture."""
        snapshot = self.tape.snapshot(sport, at)
        if snapshot is None or not self.faults.distort_events:
            return snapshot
        events = self.faults.distorted(snapshot.events, american=snapshot.content.american)
        return ComposedSnapshot(snapshot.captured_at, events)

    def event(self, sport: str, event_id: str, at: datetime) -> tuple[Snapshot, EventOdds]:
        """An event and the snapshot that holds it, or EVENT_NOT_FOUND."""
        if snapshot := self.snapshot(sport, at):
            for event in snapshot.events:
                if event.id == event_id:
                    return snapshot, event
        raise ApiError("EVENT_NOT_FOUND")
