"""Prices by book."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from psycopg import Connection
from redis.exceptions import RedisError

from edge_assets.store import lookups
from edge_assets.store.alerts.fair_prices import find_fair_prices_version, load_fair_prices
from edge_assets.store.polls import as_of
from ml.quotes import QuoteBatch
from ml.scoring.rules import DEFAULT_RULES
from serving.api.models import ErrorResponse, EventInfo, SportOdds
from serving.api.prices import DisplayNames, OfferedQuotes, render_events
from serving.api.sports import NameNotFoundError, resolve_sport
from serving.deps import ConnectionDep, ResourcesDep
from serving.resources import Resources, run_in_pool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

router = APIRouter(
    prefix="/api", tags=["odds"], responses={404: {"model": ErrorResponse}, 503: {"model": ErrorResponse}}
)


@router.get("/odds/{sport}", response_model=SportOdds)
async def odds(
    resources: ResourcesDep,
    sport: str,
    event_id: Annotated[int | None, Query(ge=0, lt=2**31, description="only this event")] = None,
) -> Response:
    """Current prices of every outcome by book, with their ages and, where known, the fair probability.

    `sport` is an alias such as `nfl`, or the feed's key. Fair values are the scorer's own, those that its alerts carry;
    null until it has scored the latest poll. The response is cached until the next poll, or the scorer's next step.
    """
    latest, fair_at = await run_in_threadpool(run_in_pool, resources.pool, _latest_versions, sport)
    poll = f"{latest['feed']}:{latest['sport']}:{latest['poll_id']}:{latest['observed_at']}"
    key = f"edge:odds:{poll}:{fair_at}:{event_id}"
    body = await _read_cache(resources, key)
    if body is None:
        body = await run_in_threadpool(run_in_pool, resources.pool, _render, latest, event_id)
        await _write_cache(resources, key, body)
    return Response(body, media_type="application/json")


@router.get("/odds/{sport}/events")
def events(conn: ConnectionDep, sport: str) -> list[EventInfo]:
    """Events listed by the latest poll, by start time."""
    latest = latest_poll(conn, sport)
    if latest["poll_id"] is None:
        return []
    sport_id = lookups.load_sports(conn)[latest["sport"]].id
    _, starts, _ = as_of.load_market_state(conn, sport_id, latest["poll_id"])
    found = lookups.load_events(conn, starts.event.tolist()).values()
    return [
        EventInfo(
            event_id=e.id,
            event=e.key,
            home_team=e.home_team,
            away_team=e.away_team,
            commence_at=e.commence_at,
        )
        for e in sorted(found, key=lambda e: (e.commence_at, e.id))
    ]


def latest_poll(conn: Connection, name: str) -> dict[str, Any]:
    """An answer's head: which sport, and its latest poll if there was one."""
    known = lookups.load_sports(conn)
    key = resolve_sport(name, known)
    sport = known.get(key)
    poll = as_of.find_last_poll(conn, sport.id) if sport else None
    poll_id, observed_at = poll or (None, None)
    return {
        "sport": key,
        "title": sport.title if sport else key,
        "feed": lookups.find_live_feed(conn),
        "poll_id": poll_id,
        "observed_at": observed_at,
    }


def _latest_versions(conn: Connection, name: str) -> tuple[dict[str, Any], datetime | None]:
    """An answer's head, and of when the fair prices are that go with it."""
    latest = latest_poll(conn, name)
    if latest["poll_id"] is None:
        return latest, None
    sport = lookups.load_sports(conn)[latest["sport"]]
    return latest, find_fair_prices_version(conn, sport.id, latest["poll_id"])


def _render(conn: Connection, latest: dict[str, Any], event_id: int | None) -> bytes:
    events: list[dict[str, Any]] = []
    if event_id is not None:
        _require_event(conn, latest, event_id)
    if latest["poll_id"] is not None:
        offered = load_offered_quotes(conn, latest, event_id)
        names = DisplayNames(lookups.load_books(conn), lookups.load_events(conn, set(offered.quotes.event.tolist())))
        fair = load_fair_prices(conn, lookups.load_sports(conn)[latest["sport"]].id, latest["poll_id"])
        events = render_events(latest["sport"], offered, names, DEFAULT_RULES, fair.prices)
    return msgspec.json.encode(latest | {"stale_after_seconds": DEFAULT_RULES.stale_after_seconds, "events": events})


def _require_event(conn: Connection, latest: Mapping[str, Any], event_id: int) -> None:
    """Raise `NameNotFoundError` for an event that never was one of this sport; one that is over has no prices."""
    sport = lookups.load_sports(conn).get(latest["sport"])
    if sport is None or not lookups.has_event(conn, sport.id, event_id):
        starts = as_of.load_market_state(conn, sport.id, latest["poll_id"])[1] if sport and latest["poll_id"] else None
        raise NameNotFoundError("event", str(event_id), map(str, starts.event.tolist() if starts else []))


def load_offered_quotes(conn: Connection, latest: Mapping[str, Any], event_id: int | None) -> OfferedQuotes:
    """What a sport, or one of its events, has on offer after its latest poll."""
    sport, poll = lookups.load_sports(conn)[latest["sport"]], latest["poll_id"]
    times, starts, now = as_of.load_market_state(conn, sport.id, poll)
    if event_id is None:
        return OfferedQuotes(as_of.load_last_quotes(conn, sport.id, poll)[0], times, starts, now)
    listed = event_id in starts.event
    quotes = as_of.load_quotes_as_of(conn, event_id, latest["observed_at"]).quotes if listed else QuoteBatch.empty()
    return OfferedQuotes(quotes, times, starts, now).for_event(event_id)


async def _read_cache(resources: Resources, key: str) -> bytes | None:
    """The remembered answer; a cache that is away is a miss."""
    with contextlib.suppress(RedisError, OSError):
        found = await resources.cache.get(key)
        return found if isinstance(found, bytes) else None
    return None


async def _write_cache(resources: Resources, key: str, body: bytes) -> None:
    if resources.settings.cache_ttl_seconds:
        with contextlib.suppress(RedisError, OSError):
            await resources.cache.set(key, body, ex=resources.settings.cache_ttl_seconds)
