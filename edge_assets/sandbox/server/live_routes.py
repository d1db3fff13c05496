"""The live endpoints, independent of HTTP.

Each endpoint checks in this order: sport, parameters, event, credits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.recordings.wire import RawSport, parse_time
from edge_assets.sandbox.server import params as read
from edge_assets.sandbox.server.responses import (
    EMPTY_LIST,
    encode_bulk_odds,
    event_odds_cost,
    list_markets,
    list_participants,
    select_scores,
    strip_odds,
)
from edge_assets.sandbox.server.selection import select_odds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from edge_assets.feeds.recordings.source import Snapshot
    from edge_assets.feeds.recordings.wire import RawEventOdds
    from edge_assets.sandbox.server.catalogue import Catalogue
    from edge_assets.sandbox.server.params import OddsQuery
    from edge_assets.sandbox.server.playback import Playback, PlaybackTime

UPCOMING_SPORT = RawSport("upcoming", "", "Upcoming", "Live games and the next 8", active=True, has_outrights=False)
_UPCOMING_EVENT_COUNT = 8


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its parameters, the acknowledged time, and the credit check for calls that cost."""

    params: Mapping[str, str]
    consumed: datetime | None
    require_credit: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response body with its cost in credits and the playback time it is valid for."""

    body: bytes
    cost: int
    playback_time: PlaybackTime
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveService:
    """The endpoints for the current playback time."""

    catalogue: Catalogue
    playback: Playback

    def sports(self, call: Call) -> Reply:
        """`/sports`."""
        include_inactive = read.parse_flag(call.params, "all", "INVALID_ALL_SPORTS_PARAM")
        sports = [sport for sport in self.catalogue.source.sports() if sport.active or include_inactive]
        return Reply(msgspec.json.encode(sports), 0, self.playback.now())

    def events(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/events`."""
        self.catalogue.find_sport(sport)
        query = read.parse_event_query(call.params)
        now = self.playback.now()
        snapshot = self.catalogue.snapshot(sport, now.at)
        body = msgspec.json.encode(strip_odds(snapshot, query))
        return Reply(body, 0, now, _captured_at(snapshot))

    def odds(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/odds`, the only call that advances a stepping playback."""
        known = UPCOMING_SPORT if sport == UPCOMING_SPORT.key else self.catalogue.find_sport(sport)
        query = read.parse_odds_query(call.params, known, bulk=True)
        call.require_credit()
        if known is UPCOMING_SPORT:
            return self._upcoming_odds(query)
        now = self.playback.advance(sport, call.consumed)
        snapshot = self.catalogue.snapshot(sport, now.at)
        body = encode_bulk_odds(snapshot, query)
        cost = 0 if body == EMPTY_LIST else query.bulk_cost
        return Reply(body, cost, now, _captured_at(snapshot))

    def scores(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/scores`; completed events only with `daysFrom`."""
        self.catalogue.find_sport(sport)
        query, days = read.parse_event_query(call.params), read.parse_days_from(call.params)
        call.require_credit()
        now = self.playback.now()
        since = now.at - timedelta(days=days) if days else None
        scores = select_scores(self.catalogue.source.scores(sport, now.at), query, since)
        return Reply(msgspec.json.encode(scores), 2 if days else 1, now)

    def event_odds(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/sports/{sport}/events/{eventId}/odds`, any market."""
        query = read.parse_odds_query(call.params, self.catalogue.find_sport(sport), bulk=False)
        now = self.playback.now()
        snapshot, event = self.catalogue.find_event(sport, read.check_event_id(event_id), now.at)
        call.require_credit()
        [odds] = select_odds([event], snapshot.content, query, book_updates=False)
        return Reply(msgspec.json.encode(odds), event_odds_cost(odds, query), now, snapshot.captured_at)

    def event_markets(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/sports/{sport}/events/{eventId}/markets`: the markets of each book."""
        self.catalogue.find_sport(sport)
        books, query = read.parse_book_filter(call.params), read.parse_event_format(call.params)
        now = self.playback.now()
        snapshot, event = self.catalogue.find_event(sport, read.check_event_id(event_id), now.at)
        call.require_credit()
        body = msgspec.json.encode(list_markets(snapshot, event, books, query))
        return Reply(body, 1, now, snapshot.captured_at)

    def participants(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/participants`: the teams of the newest capture."""
        self.catalogue.find_sport(sport)
        call.require_credit()
        now = self.playback.now()
        snapshot = self.catalogue.snapshot(sport, now.at)
        return Reply(msgspec.json.encode(list_participants(snapshot)), 1, now, _captured_at(snapshot))

    def _upcoming_odds(self, query: OddsQuery) -> Reply:
        now = self.playback.now()
        events: list[RawEventOdds] = []
        for sport in self.catalogue.source.sports():
            if snapshot := self.catalogue.snapshot(sport.key, now.at):
                events += select_odds(snapshot.events, snapshot.content, query)
        events.sort(key=lambda event: parse_time(event.commence_time))
        live = sum(parse_time(event.commence_time) <= now.at for event in events)
        shown = events[: live + _UPCOMING_EVENT_COUNT]
        return Reply(msgspec.json.encode(shown), query.bulk_cost if shown else 0, now)


def _captured_at(snapshot: Snapshot | None) -> datetime | None:
    return snapshot.captured_at if snapshot else None
