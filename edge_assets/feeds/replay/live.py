"""The API's answers about the present, free of HTTP.

Each endpoint checks in this order: sport, parameters, event, credits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.replay import params as read
from edge_assets.feeds.replay.answers import (
    EMPTY,
    bare_events,
    bulk_odds,
    market_list,
    participants,
    returned_cost,
    select_scores,
)
from edge_assets.feeds.replay.bodies import Sport, as_datetime
from edge_assets.feeds.replay.selection import select_odds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from edge_assets.feeds.replay.bodies import EventOdds
    from edge_assets.feeds.replay.catalogue import Catalogue
    from edge_assets.feeds.replay.params import OddsQuery
    from edge_assets.feeds.replay.playback import Moment, Playback
    from edge_assets.feeds.replay.tape import Snapshot

UPCOMING = Sport("upcoming", "", "Upcoming", "Live games and the next 8", active=True, has_outrights=False)
_UPCOMING_GAMES = 8


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its parameters, what it acknowledges, and the check that a priced call has to pass."""

    params: Mapping[str, str]
    consumed: datetime | None
    require_credit: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, its price in credits, and when it was true."""

    body: bytes
    cost: int
    moment: Moment
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveService:
    """The endpoints that answer at the playback's moment."""

    catalogue: Catalogue
    playback: Playback

    def sports(self, call: Call) -> Reply:
        """`/sports`."""
        everything = read.flag(call.params, "all", "INVALID_ALL_SPORTS_PARAM")
        sports = [sport for sport in self.catalogue.tape.sports() if sport.active or everything]
        return Reply(msgspec.json.encode(sports), 0, self.playback.now())

    def events(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/events`."""
        self.catalogue.sport(sport)
        wanted = read.event_filter(call.params)
        moment = self.playback.now()
        snapshot = self.catalogue.snapshot(sport, moment.at)
        body = msgspec.json.encode(bare_events(snapshot, wanted))
        return Reply(body, 0, moment, _captured_at(snapshot))

    def odds(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/odds`, the only call that moves a stepping playback."""
        known = UPCOMING if sport == UPCOMING.key else self.catalogue.sport(sport)
        query = read.odds_query(call.params, known, bulk=True)
        call.require_credit()
        if known is UPCOMING:
            return self._upcoming(query)
        moment = self.playback.odds(sport, call.consumed)
        snapshot = self.catalogue.snapshot(sport, moment.at)
        body = bulk_odds(snapshot, query)
        cost = 0 if body == EMPTY else query.bulk_cost
        return Reply(body, cost, moment, _captured_at(snapshot))

    def scores(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/scores`; completed events only with `daysFrom`."""
        self.catalogue.sport(sport)
        wanted, days = read.event_filter(call.params), read.days_from(call.params)
        call.require_credit()
        moment = self.playback.now()
        since = moment.at - timedelta(days=days) if days else None
        scores = select_scores(self.catalogue.tape.scores(sport, moment.at), wanted, since)
        return Reply(msgspec.json.encode(scores), 2 if days else 1, moment)

    def event_odds(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/sports/{sport}/events/{eventId}/odds`, any market."""
        query = read.odds_query(call.params, self.catalogue.sport(sport), bulk=False)
        moment = self.playback.now()
        snapshot, event = self.catalogue.event(sport, read.event_id(event_id), moment.at)
        call.require_credit()
        [odds] = select_odds([event], snapshot.content, query, book_updates=False)
        return Reply(msgspec.json.encode(odds), returned_cost(odds, query), moment, snapshot.captured_at)

    def event_markets(self, call: Call, sport: str, event_id: str) -> Reply:
        """`/sports/{sport}/events/{eventId}/markets`: which markets each book has."""
        self.catalogue.sport(sport)
        books, wanted = read.book_filter(call.params), read.event_format(call.params)
        moment = self.playback.now()
        snapshot, event = self.catalogue.event(sport, read.event_id(event_id), moment.at)
        call.require_credit()
        body = msgspec.json.encode(market_list(snapshot, event, books, wanted))
        return Reply(body, 1, moment, snapshot.captured_at)

    def participants(self, call: Call, sport: str) -> Reply:
        """`/sports/{sport}/participants`: the teams of the newest capture."""
        self.catalogue.sport(sport)
        call.require_credit()
        moment = self.playback.now()
        snapshot = self.catalogue.snapshot(sport, moment.at)
        return Reply(msgspec.json.encode(participants(snapshot)), 1, moment, _captured_at(snapshot))

    def _upcoming(self, query: OddsQuery) -> Reply:
        moment = self.playback.now()
        events: list[EventOdds] = []
        for sport in self.catalogue.tape.sports():
            if snapshot := self.catalogue.snapshot(sport.key, moment.at):
                events += select_odds(snapshot.events, snapshot.content, query)
        events.sort(key=lambda event: as_datetime(event.commence_time))
        live = sum(as_datetime(event.commence_time) <= moment.at for event in events)
        shown = events[: live + _UPCOMING_GAMES]
        return Reply(msgspec.json.encode(shown), query.bulk_cost if shown else 0, moment)


def _captured_at(snapshot: Snapshot | None) -> datetime | None:
    return snapshot.captured_at if snapshot else None
