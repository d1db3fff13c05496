"""The historical endpoints: the newest snapshot not later than `date`, in an envelope.

The whole recording counts as past, wherever the playback is, so it can be imported through these endpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.recordings.wire import format_time
from edge_assets.sandbox.server import params as read
from edge_assets.sandbox.server.errors import ApiError
from edge_assets.sandbox.server.live_routes import Reply
from edge_assets.sandbox.server.responses import EMPTY_LIST, encode_bulk_odds, event_odds_cost, strip_odds
from edge_assets.sandbox.server.selection import select_odds

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.sandbox.server.catalogue import Catalogue
    from edge_assets.sandbox.server.live_routes import Call
    from edge_assets.sandbox.server.playback import Playback

_HISTORICAL_COST_FACTOR = 10


@dataclass(frozen=True, slots=True)
class HistoricalService:
    """The endpoints below `/historical`."""

    catalogue: Catalogue
    playback: Playback

    def odds(self, call: Call, sport: str) -> Reply:
        """`/historical/sports/{sport}/odds`."""
        query = read.parse_odds_query(call.params, self.catalogue.find_sport(sport), bulk=True)
        at = self._parse_date(call)
        call.require_credit()
        data = encode_bulk_odds(self.catalogue.snapshot(sport, at), query)
        return self._build_reply(
            sport, at, data, 0 if data == EMPTY_LIST else _HISTORICAL_COST_FACTOR * query.bulk_cost
        )

    def events(self, call: Call, sport: str) -> Reply:
        """`/historical/sports/{sport}/events`."""
        self.catalogue.find_sport(sport)
        query = read.parse_event_query(call.params)
        at = self._parse_date(call)
        call.require_credit()
        events = strip_odds(self.catalogue.snapshot(sport, at), query)
        return self._build_reply(sport, at, msgspec.json.encode(events), 1 if events else 0)

    def event_odds(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/historical/sports/{sport}/events/{eventId}/odds`; books and markets both have `last_update`."""
        query = read.parse_odds_query(call.params, self.catalogue.find_sport(sport), bulk=False)
        at = self._parse_date(call)
        snapshot, event = self.catalogue.find_event(sport, read.check_event_id(event_id), at)
        call.require_credit()
        [odds] = select_odds([event], snapshot.content, query)
        cost = _HISTORICAL_COST_FACTOR * event_odds_cost(odds, query)
        return self._build_reply(sport, at, msgspec.json.encode(odds), cost)

    def _parse_date(self, call: Call) -> datetime:
        date = read.parse_timestamp(call.params.get("date"), "INVALID_HISTORICAL_TIMESTAMP")
        if date is None:
            raise ApiError("MISSING_HISTORICAL_TIMESTAMP")
        return min(date, self.playback.horizon())

    def _build_reply(self, sport: str, at: datetime, data: bytes, cost: int) -> Reply:
        snapshot = self.catalogue.snapshot(sport, at)
        around = self.catalogue.source.neighbours(sport, at)
        times = (snapshot.captured_at if snapshot else at, around.previous, around.next)
        names = ("timestamp", "previous_timestamp", "next_timestamp")
        fields = {name: time and _ceil_to_second(time) for name, time in zip(names, times, strict=True)}
        body = msgspec.json.encode({**fields, "data": msgspec.Raw(data)})
        return Reply(body, cost, self.playback.now(), snapshot.captured_at if snapshot else None)


def _ceil_to_second(at: datetime) -> str:
    """Round up: a request for the stated time must return this capture, not the previous one."""
    return format_time(at + timedelta(microseconds=-at.microsecond % 1_000_000))
