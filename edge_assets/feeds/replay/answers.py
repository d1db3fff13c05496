"""Composes the parts that the live and the historical endpoints share, and what they cost."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from edge_assets.feeds.replay.bodies import Event, as_datetime
from edge_assets.feeds.replay.formats import to_iso, to_unix
from edge_assets.feeds.replay.markets import LAY_TWINS
from edge_assets.feeds.replay.selection import select_events, select_odds, unaltered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_assets.feeds.replay.bodies import EventOdds, Score
    from edge_assets.feeds.replay.params import BookFilter, EventFilter, OddsQuery
    from edge_assets.feeds.replay.tape import Snapshot

EMPTY = b"[]"


def bulk_odds(snapshot: Snapshot | None, query: OddsQuery) -> bytes:
    """A sport's odds as JSON; `EMPTY` if no event was asked for or is there."""
    if snapshot is None or not snapshot.content.starts:
        return EMPTY
    if body := unaltered(snapshot, query):
        return body
    return msgspec.json.encode(select_odds(snapshot.events, snapshot.content, query))


def returned_cost(odds: EventOdds, query: OddsQuery) -> int:
    """The cost of one event's odds: distinct markets returned times regions; lay twins come along free."""
    returned = {market.key for book in odds.bookmakers for market in book.markets}
    return len(returned - set(LAY_TWINS.values())) * query.books.units


def bare_events(snapshot: Snapshot | None, wanted: EventFilter) -> list[Event]:
    """The events without their odds."""
    if snapshot is None:
        return []
    return [_bare(event) for event in select_events(snapshot.events, snapshot.content, wanted)]


def market_list(snapshot: Snapshot, event: EventOdds, books: BookFilter, wanted: EventFilter) -> dict[str, Any]:
    """Which markets each book has for an event, and since when."""
    time = to_unix if wanted.unix else to_iso
    shown = select_events([event], snapshot.content, wanted)[0]
    listed = []
    for book in event.bookmakers:
        stated = {market.key: market.last_update or book.last_update for market in book.markets}
        markets = [{"key": key, "last_update": time(at) if at is not UNSET else None} for key, at in stated.items()]
        if books.admits(book.key):
            listed.append({"key": book.key, "title": book.title, "markets": markets})
    return {**_fields(_bare(shown)), "bookmakers": listed}


def participants(snapshot: Snapshot | None) -> list[dict[str, str]]:
    """The teams of a snapshot, under ids of our own making."""
    events = snapshot.events if snapshot else ()
    names = {name for event in events for name in (event.home_team, event.away_team) if name}
    return [
        {"full_name": name, "id": f"par_{blake2b(name.encode(), digest_size=13).hexdigest()}"} for name in sorted(names)
    ]


def select_scores(scores: Sequence[Score], wanted: EventFilter, since: datetime | None) -> list[Score]:
    """The scores that were asked for; completed ones only if `since` reaches back to their start."""
    time = to_unix if wanted.unix else to_iso
    return [
        replace(
            score,
            commence_time=time(score.commence_time),
            last_update=None if score.last_update is None else time(score.last_update),
        )
        for score in scores
        if wanted.admits(score)
        and (not score.completed or (since is not None and as_datetime(score.commence_time) >= since))
    ]


def _bare(event: EventOdds) -> Event:
    return Event(**_fields(event, Event.__struct_fields__))


def _fields(event: Event, names: tuple[str, ...] = Event.__struct_fields__) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(event, name)) is not UNSET}
