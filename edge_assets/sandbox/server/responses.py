"""Response bodies and costs shared by the live and the historical endpoints."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from edge_assets.feeds.recordings.conversions import to_iso, to_unix
from edge_assets.feeds.recordings.wire import RawEvent, parse_time
from edge_assets.reference.markets import LAY_TWINS
from edge_assets.sandbox.server.selection import raw_body_for, select_events, select_odds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_assets.feeds.recordings.source import Snapshot
    from edge_assets.feeds.recordings.wire import RawEventOdds, RawScore
    from edge_assets.sandbox.server.params import BookFilter, EventQuery, OddsQuery

EMPTY_LIST = b"[]"


def encode_bulk_odds(snapshot: Snapshot | None, query: OddsQuery) -> bytes:
    """A sport's odds as JSON; `EMPTY_LIST` if there is no event."""
    if snapshot is None or not snapshot.content.starts:
        return EMPTY_LIST
    if body := raw_body_for(snapshot, query):
        return body
    return msgspec.json.encode(select_odds(snapshot.events, snapshot.content, query))


def event_odds_cost(odds: RawEventOdds, query: OddsQuery) -> int:
    """The cost of one event's odds: distinct markets returned times regions; lay twins are free."""
    returned = {market.key for book in odds.bookmakers for market in book.markets}
    return len(returned - set(LAY_TWINS.values())) * query.books.region_units


def strip_odds(snapshot: Snapshot | None, query: EventQuery) -> list[RawEvent]:
    """The events without their odds."""
    if snapshot is None:
        return []
    return [_strip_event(event) for event in select_events(snapshot.events, snapshot.content, query)]


def list_markets(snapshot: Snapshot, event: RawEventOdds, books: BookFilter, query: EventQuery) -> dict[str, Any]:
    """The markets of each book for an event, with their last update."""
    time = to_unix if query.unix else to_iso
    shown = select_events([event], snapshot.content, query)[0]
    listed = []
    for book in event.bookmakers:
        stated = {market.key: market.last_update or book.last_update for market in book.markets}
        markets = [{"key": key, "last_update": time(at) if at is not UNSET else None} for key, at in stated.items()]
        if books.admits(book.key):
            listed.append({"key": book.key, "title": book.title, "markets": markets})
    return {**_set_fields(_strip_event(shown)), "bookmakers": listed}


def list_participants(snapshot: Snapshot | None) -> list[dict[str, str]]:
    """The teams of a snapshot, with ids derived from their names."""
    events = snapshot.events if snapshot else ()
    names = {name for event in events for name in (event.home_team, event.away_team) if name}
    return [
        {"full_name": name, "id": f"par_{blake2b(name.encode(), digest_size=13).hexdigest()}"} for name in sorted(names)
    ]


def select_scores(scores: Sequence[RawScore], query: EventQuery, since: datetime | None) -> list[RawScore]:
    """The requested scores; completed ones only if they started at or after `since`."""
    time = to_unix if query.unix else to_iso
    return [
        replace(
            score,
            commence_time=time(score.commence_time),
            last_update=None if score.last_update is None else time(score.last_update),
        )
        for score in scores
        if query.admits(score)
        and (not score.completed or (since is not None and parse_time(score.commence_time) >= since))
    ]


def _strip_event(event: RawEventOdds) -> RawEvent:
    return RawEvent(**_set_fields(event, RawEvent.__struct_fields__))


def _set_fields(event: RawEvent, names: tuple[str, ...] = RawEvent.__struct_fields__) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(event, name)) is not UNSET}
