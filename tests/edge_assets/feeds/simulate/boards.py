"""What the tests look at: moments, events and boards of a simulated world."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.feeds.simulate.faults import SOFT
from edge_assets.feeds.simulate.fixtures import SLOT, Fixture, fixture
from edge_assets.feeds.simulate.leagues import LEAGUES
from edge_assets.feeds.simulate.quoting import in_force, look, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.feeds.replay.bodies import Bookmaker
    from edge_assets.feeds.simulate.faults import Fault, FaultKind
    from edge_assets.feeds.simulate.quoting import Quote
    from edge_assets.feeds.simulate.world import World

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEYS = [league.key for league in LEAGUES]
SLOW = [i for i in SOFT if BOOKS[i].lag >= 60]
QUICK = [i for i in SOFT if BOOKS[i].lag <= 10]


_fixture = lru_cache(maxsize=4_096)(fixture)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def fixtures(seed: int, number: int, league: int) -> Iterator[Fixture]:
    """`number` events of a league in a row."""
    first = int(NOON.timestamp()) // SLOT
    return (_fixture(seed, LEAGUES[league], first + i) for i in range(number))


def faults(kind: FaultKind, events: int = 60) -> list[tuple[Fixture, Fault]]:
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


def is_sound(event: Fixture, number: int, at: int) -> bool:
    """Whether nothing is wrong with what a book shows."""
    return not in_force(event, number, at) and not in_force(event, *origin_of(number, at))


def shown(event: Fixture, number: int, at: int) -> dict[tuple[str, str], Quote]:
    """A book's quotes at a moment by market and outcome."""
    return {(q.market, q.outcome): q for q in look(event, number, at).quotes}


def meant(event: Fixture, number: int, at: int) -> dict[tuple[str, str], Quote]:
    """What the book would show if nothing were wrong."""
    return shown(replace(event, faults=()), number, at)


def on_the_wire(world: World, event: Fixture, number: int, at: float) -> Bookmaker | None:
    """What a snapshot says of a book."""
    snapshot = world.snapshot(event.league.key, moment(at))
    assert snapshot is not None
    [listed] = [e for e in snapshot.events if e.id == event.id]
    return next((b for b in listed.bookmakers if b.key == BOOKS[number].key), None)


def times(hours: float, every: float) -> list[datetime]:
    """Moments from noon on."""
    return [NOON + timedelta(seconds=every * i) for i in range(int(hours * 3600 / every))]
