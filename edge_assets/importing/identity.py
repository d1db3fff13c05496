"""One event is one event, whatever its sources call it.

An event is met by its source's own key or, the first time, by sport, teams and start: of the events that the source has
no name for yet, the nearest within the tolerance. So doubleheaders stay apart, because a source gives each game a key,
and a key an event. Home and away may be the other way round at a neutral place: then the event's first source decides.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.clock import micros, to_datetime
from edge_assets.naming import canonical, sides
from edge_assets.store import identities
from edge_assets.store.identities import NewEvent, Start, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.feeds.history.batch import HistoryEvent
    from ml.quotes import Micros

TOLERANCE = timedelta(hours=12)
"""Between two sources' starts of one event: a kick-off that is assumed may be this wrong."""
TOLERANCES = {
    "americanfootball": timedelta(hours=36),
    "baseball": timedelta(hours=2),
    "soccer": timedelta(hours=36),
}
"""Teams of baseball meet twice a day: the games of a doubleheader start three hours apart or more. Those of football
never meet again within two days (in 62,149 matches 66 hours at least), while a match that is moved, for television
or the weather, often goes to the next or the last day, and a source that looked before tells the old one.
"""


class Resolved(NamedTuple):
    """Ids of events (n,), and whether home and away are the other way round there."""

    ids: NDArray[np.int32]
    flipped: NDArray[np.bool_]


class EventRef(NamedTuple):
    """An event that a source names, and when it was first seen there."""

    event: HistoryEvent
    first_seen: Micros


def resolve(conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]) -> Resolved:
    """Find the events that a source means, and store those that nobody has named yet."""
    found = identities.named(conn, source, [ref.event.key for ref in refs])
    unknown = [ref for ref in refs if ref.event.key not in found]
    met = _meet(sport, unknown, _candidates(conn, source, sport, sport_id, unknown))
    identities.link(conn, source, {key: event.id for key, event in met.items()})
    stored = found | met
    _note(conn, refs, stored)
    created = _create(conn, source, sport, sport_id, [ref for ref in unknown if ref.event.key not in met])
    ids = {key: event.id for key, event in stored.items()} | created
    moved = [(ids[event.key], event.moved_to) for event, _ in refs if event.moved_to is not None]
    identities.note_moved(conn, [Start(event, known_at, start) for event, (start, known_at) in moved])
    flipped = [_flipped(sport, ref.event, stored.get(ref.event.key)) for ref in refs]
    return Resolved(np.array([ids[ref.event.key] for ref in refs], np.int32), np.array(flipped, bool))


def tolerance(sport: str) -> timedelta:
    """How far apart the starts may be that two sources give one event."""
    return TOLERANCES.get(sport.partition("_")[0], TOLERANCE)


def _candidates(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]
) -> list[StoredEvent]:
    if not refs:
        return []
    starts = [ref.event.start for ref in refs]
    since, until = to_datetime(min(starts)) - tolerance(sport), to_datetime(max(starts)) + tolerance(sport)
    return identities.unnamed(conn, source, sport_id, since, until)


def _meet(sport: str, refs: Iterable[EventRef], candidates: Iterable[StoredEvent]) -> dict[str, StoredEvent]:
    """Pair events of the same teams, the nearest starts first, each once."""
    by_teams: dict[frozenset[str], list[StoredEvent]] = defaultdict(list)
    for candidate in candidates:
        if candidate.home_team and candidate.away_team:
            by_teams[frozenset(sides(sport, candidate.home_team, candidate.away_team))].append(candidate)
    pairs = [
        (abs(micros(candidate.commence_at) - ref.event.start), ref.event.key, candidate)
        for ref in refs
        for candidate in by_teams.get(frozenset(sides(sport, ref.event.home, ref.event.away)), ())
    ]
    met: dict[str, StoredEvent] = {}
    taken: set[int] = set()
    for gap, key, candidate in sorted(pairs, key=lambda pair: (pair[0], pair[1], pair[2].id)):
        if gap <= tolerance(sport) / timedelta(microseconds=1) and key not in met and candidate.id not in taken:
            met[key] = candidate
            taken.add(candidate.id)
    return met


def _create(conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]) -> dict[str, int]:
    """The ids of new events by the source's key. The Odds API's keys are the events' own, as in the live path."""
    prefix = "" if source == "odds-api" else f"{source}:"
    new = [
        NewEvent(
            event.key,
            prefix + event.key,
            canonical(sport, event.home),
            canonical(sport, event.away),
            event.start,
            first_seen,
            event.start_assumed,
        )
        for event, first_seen in refs
    ]
    return identities.create(conn, source, sport_id, new)


def _note(conn: Connection, refs: Sequence[EventRef], stored: dict[str, StoredEvent]) -> None:
    """Of stored events: earlier first sights, and starts that were assumed and are known now."""
    again = [(stored[ref.event.key], ref) for ref in refs if ref.event.key in stored]
    identities.note_seen(conn, {event.id: ref.first_seen for event, ref in again})
    assumed = {e.id: ref.event.start for e, ref in again if e.start_assumed and not ref.event.start_assumed}
    identities.note_known(conn, assumed)


def _flipped(sport: str, event: HistoryEvent, stored: StoredEvent | None) -> bool:
    if stored is None or not stored.home_team or not stored.away_team:
        return False
    return sides(sport, stored.home_team, stored.away_team) == sides(sport, event.away, event.home)
