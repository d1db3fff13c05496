"""What the tests read: times, events and boards of a simulated market."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.faults import SOFT_BOOKS
from edge_assets.sandbox.simulator.fixtures import SLOT_SECONDS, SimulatedEvent, simulate_event
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.quoting import active_faults, resolve_origin, scrape_book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.feeds.recordings.wire import RawBookmaker
    from edge_assets.sandbox.simulator.faults import Fault, FaultKind
    from edge_assets.sandbox.simulator.market import SimulatedMarket
    from edge_assets.sandbox.simulator.quoting import SimulatedQuote

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEYS = [league.key for league in LEAGUES]
SLOW = [i for i in SOFT_BOOKS if BOOKS[i].lag_seconds >= 60]
QUICK = [i for i in SOFT_BOOKS if BOOKS[i].lag_seconds <= 10]


_fixture = lru_cache(maxsize=4_096)(simulate_event)


def utc_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def fixtures(seed: int, number: int, league: int) -> Iterator[SimulatedEvent]:
    """`number` events of a league in a row."""
    first = int(NOON.timestamp()) // SLOT_SECONDS
    return (_fixture(seed, LEAGUES[league], first + i) for i in range(number))


def faults(kind: FaultKind, events: int = 60) -> list[tuple[SimulatedEvent, Fault]]:
    """Faults of a kind that are over before the start, each alone at its book while it lasts."""
    return [
        (event, fault)
        for league in range(len(LEAGUES))
        for event in fixtures(11, events, league)
        for fault in event.faults
        if fault.kind == kind
        and fault.ends < event.start
        and not [f for f in event.faults if f.book == fault.book and f != fault and overlap(f, fault)]
    ]


def overlap(one: Fault, other: Fault) -> bool:
    return one.begins < other.ends and other.begins < one.ends


def is_sound(event: SimulatedEvent, number: int, at: int) -> bool:
    """Whether no fault affects the book or the one it copies."""
    return not active_faults(event, number, at) and not active_faults(event, *resolve_origin(number, at))


def quotes_at(event: SimulatedEvent, number: int, at: int) -> dict[tuple[str, str], SimulatedQuote]:
    """A book's quotes at a time, by market and outcome."""
    return {(q.market, q.outcome): q for q in scrape_book(event, number, at).quotes}


def quotes_without_faults(event: SimulatedEvent, number: int, at: int) -> dict[tuple[str, str], SimulatedQuote]:
    """The quotes that the book would show without faults."""
    return quotes_at(replace(event, faults=()), number, at)


def on_the_wire(simulator: SimulatedMarket, event: SimulatedEvent, number: int, at: float) -> RawBookmaker | None:
    """A book as a snapshot lists it."""
    snapshot = simulator.snapshot(event.league.key, utc_time(at))
    assert snapshot is not None
    [listed] = [e for e in snapshot.events if e.id == event.id]
    return next((b for b in listed.bookmakers if b.key == BOOKS[number].key), None)


def times(hours: float, every: float) -> list[datetime]:
    """Times from noon on."""
    return [NOON + timedelta(seconds=every * i) for i in range(int(hours * 3600 / every))]
