"""The API's answers about the past: the snapshot equal to or earlier than `date`, in an envelope.

The whole recording counts as past, wherever the playback stands: it can be imported through this door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.replay import params as read
from edge_assets.feeds.replay.answers import EMPTY, bare_events, bulk_odds, returned_cost
from edge_assets.feeds.replay.bodies import stamp
from edge_assets.feeds.replay.errors import ApiError
from edge_assets.feeds.replay.live import Reply
from edge_assets.feeds.replay.selection import select_odds

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.replay.catalogue import Catalogue
    from edge_assets.feeds.replay.live import Call
    from edge_assets.feeds.replay.playback import Playback

_HISTORICAL_FACTOR = 10


@dataclass(frozen=True, slots=True)
class HistoricalService:
    """The endpoints below `/historical`."""

    catalogue: Catalogue
    playback: Playback

    def odds(self, call: Call, sport: str) -> Reply:
        """`/historical/sports/{sport}/odds`."""
        query = read.odds_query(call.params, self.catalogue.sport(sport), bulk=True)
        at = self._date(call)
        call.require_credit()
        data = bulk_odds(self.catalogue.snapshot(sport, at), query)
        return self._envelope(sport, at, data, 0 if data == EMPTY else _HISTORICAL_FACTOR * query.bulk_cost)

    def events(self, call: Call, sport: str) -> Reply:
        """`/historical/sports/{sport}/events`."""
        self.catalogue.sport(sport)
        wanted = read.event_filter(call.params)
        at = self._date(call)
        call.require_credit()
        events = bare_events(self.catalogue.snapshot(sport, at), wanted)
        return self._envelope(sport, at, msgspec.json.encode(events), 1 if events else 0)

    def event_odds(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/historical/sports/{sport}/events/{eventId}/odds`; books and markets both state their update."""
        query = read.odds_query(call.params, self.catalogue.sport(sport), bulk=False)
        at = self._date(call)
        snapshot, event = self.catalogue.event(sport, read.event_id(event_id), at)
        call.require_credit()
        [odds] = select_odds([event], snapshot.content, query)
        cost = _HISTORICAL_FACTOR * returned_cost(odds, query)
        return self._envelope(sport, at, msgspec.json.encode(odds), cost)

    def _date(self, call: Call) -> datetime:
        date = read.timestamp(call.params.get("date"), "INVALID_HISTORICAL_TIMESTAMP")
        if date is None:
            raise ApiError("MISSING_HISTORICAL_TIMESTAMP")
        return min(date, self.playback.horizon())

    def _envelope(self, sport: str, at: datetime, data: bytes, cost: int) -> Reply:
        snapshot = self.catalogue.snapshot(sport, at)
        around = self.catalogue.tape.neighbours(sport, at)
        times = (snapshot.captured_at if snapshot else at, around.previous, around.next)
        names = ("timestamp", "previous_timestamp", "next_timestamp")
        fields = {name: time and _next_second(time) for name, time in zip(names, times, strict=True)}
        body = msgspec.json.encode({**fields, "data": msgspec.Raw(data)})
        return Reply(body, cost, self.playback.now(), snapshot.captured_at if snapshot else None)


def _next_second(at: datetime) -> str:
    """Rounded up: whoever asks for the stated time gets the capture, not the one before it."""
    return stamp(at + timedelta(microseconds=-at.microsecond % 1_000_000))
