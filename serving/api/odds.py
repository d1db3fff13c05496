"""Prices by book."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from psycopg import Connection
from redis.exceptions import RedisError

from edge_assets.store import board, readers
from edge_assets.store.weights import weights_at
from ml.quotes import QuoteBatch
from ml.scoring.rules import ScoringRules
from serving.api.models import Event, Problem, SportOdds
from serving.api.prices import Names, Offer, price_events
from serving.api.sports import UnknownNameError, resolve_sport
from serving.deps import Held, Resources, Store, in_store

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = ScoringRules()
"""What is stale and how the margin is removed, as the scorer has it."""

router = APIRouter(prefix="/api", tags=["odds"], responses={404: {"model": Problem}, 503: {"model": Problem}})


@router.get("/odds/{sport}", response_model=SportOdds)
async def odds(
    held: Held,
    sport: str,
    event_id: Annotated[int | None, Query(ge=0, lt=2**31, description="only this event")] = None,
) -> Response:
    """Every book's current price of every outcome, with its age and the fair probability where it is known.

    `sport` is an alias such as `nfl`, or the feed's key. The answer is cached until the next poll.
    """
    latest = await run_in_threadpool(in_store, held.pool, latest_poll, sport)
    key = f"edge:odds:{latest['feed']}:{latest['sport']}:{latest['poll_id']}:{latest['observed_at']}:{event_id}"
    body = await _cached(held, key)
    if body is None:
        body = await run_in_threadpool(in_store, held.pool, _body, latest, event_id, held.settings.edge_book_weights)
        await _remember(held, key, body)
    return Response(body, media_type="application/json")


@router.get("/odds/{sport}/events")
def events(store: Store, sport: str) -> list[Event]:
    """The events that the latest poll listed, in order of their start."""
    latest = latest_poll(store, sport)
    if latest["poll_id"] is None:
        return []
    sport_id = board.sports(store)[latest["sport"]].id
    _, starts, _ = readers.market_state(store, sport_id, latest["poll_id"])
    found = board.events(store, starts.event.tolist()).values()
    return [
        Event(
            event_id=e.id,
            event=e.key,
            home_team=e.home_team,
            away_team=e.away_team,
            commence_at=e.commence_at,
        )
        for e in sorted(found, key=lambda e: (e.commence_at, e.id))
    ]


def latest_poll(store: Connection, name: str) -> dict[str, Any]:
    """An answer's head: which sport, and its latest poll if there was one."""
    known = board.sports(store)
    key = resolve_sport(name, known)
    sport = known.get(key)
    poll = readers.last_poll(store, sport.id) if sport else None
    poll_id, observed_at = poll or (None, None)
    return {
        "sport": key,
        "title": sport.title if sport else key,
        "feed": board.feed(store),
        "poll_id": poll_id,
        "observed_at": observed_at,
    }


def _body(store: Connection, latest: dict[str, Any], event_id: int | None, weights: Mapping[str, float]) -> bytes:
    events: list[dict[str, Any]] = []
    if event_id is not None:
        _check_event(store, latest, event_id)
    if latest["poll_id"] is not None:
        offer = offer_of(store, latest, event_id)
        names = Names(board.books(store), board.events(store, set(offer.quotes.event.tolist())))
        held = weights_at(store, board.sports(store)[latest["sport"]].id, latest["observed_at"])
        events = price_events(latest["sport"], offer, names, RULES, {**held.weights, **weights})
    return msgspec.json.encode(latest | {"stale_after_seconds": RULES.stale_after_seconds, "events": events})


def _check_event(store: Connection, latest: Mapping[str, Any], event_id: int) -> None:
    """Raise `UnknownNameError` for an event that never was one of this sport; one that is over has no prices."""
    sport = board.sports(store).get(latest["sport"])
    if sport is None or not board.is_event(store, sport.id, event_id):
        starts = readers.market_state(store, sport.id, latest["poll_id"])[1] if sport and latest["poll_id"] else None
        raise UnknownNameError("event", str(event_id), map(str, starts.event.tolist() if starts else []))


def offer_of(store: Connection, latest: Mapping[str, Any], event_id: int | None) -> Offer:
    """What a sport, or one of its events, has on offer after its latest poll."""
    sport, poll = board.sports(store)[latest["sport"]], latest["poll_id"]
    times, starts, now = readers.market_state(store, sport.id, poll)
    if event_id is None:
        return Offer(readers.last_quotes(store, sport.id, poll)[0], times, starts, now)
    listed = event_id in starts.event
    quotes = readers.as_of(store, event_id, latest["observed_at"]).quotes if listed else QuoteBatch.empty()
    return Offer(quotes, times, starts, now).only(event_id)


async def _cached(held: Resources, key: str) -> bytes | None:
    """The remembered answer; a cache that is away is a miss."""
    with contextlib.suppress(RedisError, OSError):
        found = await held.cache.get(key)
        return found if isinstance(found, bytes) else None
    return None


async def _remember(held: Resources, key: str, body: bytes) -> None:
    if held.settings.cache_ttl_seconds:
        with contextlib.suppress(RedisError, OSError):
            await held.cache.set(key, body, ex=held.settings.cache_ttl_seconds)
