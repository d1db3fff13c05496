"""One event is one event, whatever its sources call it.

An event is found by its source's own key or, the first time, by sport, teams and start (`edge_assets.matching`) among
the events that the source has no name for yet. So doubleheaders stay apart, because a source gives each game a key, and
a key an event; one that could be several of the stored events is stored as one of its own, and counted. Home and away
may be the other way round at a neutral place: then the event's first source decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.clock import to_datetime
from edge_assets.matching import Fixture, Matching, are_exchanged, canonical, match_fixtures
from edge_assets.matching.tolerances import tolerance
from edge_assets.store import identities
from edge_assets.store.identities import NewEvent, Start, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.feeds.history.batch import HistoryEvent
    from ml.quotes import Micros


class Resolved(NamedTuple):
    """Ids of events (n,), whether home and away are the other way round there, and which could have been several."""

    ids: NDArray[np.int32]
    exchanged: NDArray[np.bool_]
    ambiguous: list[HistoryEvent]


class EventRef(NamedTuple):
    """An event that a source names, and when it was first seen there."""

    event: HistoryEvent
    first_seen: Micros


def resolve(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef], import_id: int | None = None
) -> Resolved:
    """Find the events that a source means, and store those that nobody has named yet, as `import_id` tells of them."""
    found = identities.named(conn, source, [ref.event.key for ref in refs])
    unknown = [ref for ref in refs if ref.event.key not in found]
    candidates = _candidates(conn, source, sport, sport_id, unknown)
    matching = _match(sport, source, unknown, candidates)
    met = {unknown[match.theirs].event.key: candidates[match.ours] for match in matching.matches}
    identities.link(conn, source, {key: event.id for key, event in met.items()})
    stored = found | met
    _note(conn, refs, stored)
    new = [ref for ref in unknown if ref.event.key not in met]
    created = _create(conn, source, sport, sport_id, new, import_id)
    ids = {key: event.id for key, event in stored.items()} | created
    moved = [(ids[event.key], event.moved_to) for event, _ in refs if event.moved_to is not None]
    identities.note_moved(conn, [Start(event, known_at, start) for event, (start, known_at) in moved])
    exchanged = [_is_exchanged(sport, ref.event, stored.get(ref.event.key)) for ref in refs]
    return Resolved(
        np.array([ids[ref.event.key] for ref in refs], np.int32),
        np.array(exchanged, bool),
        [unknown[place].event for place in sorted(matching.ambiguous)],
    )


def _candidates(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]
) -> list[StoredEvent]:
    if not refs:
        return []
    starts = [ref.event.start for ref in refs]
    farthest = tolerance(sport, source)
    since, until = to_datetime(min(starts)) - farthest, to_datetime(max(starts)) + farthest
    return identities.unnamed(conn, source, sport_id, since, until)


def _match(sport: str, source: str, refs: Sequence[EventRef], candidates: Sequence[StoredEvent]) -> Matching:
    theirs = [Fixture(event.home, event.away, to_datetime(event.start)) for event, _ in refs]
    ours = [Fixture(event.home_team, event.away_team, event.commence_at) for event in candidates]
    return match_fixtures(sport, source, theirs, ours)


def _create(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef], import_id: int | None
) -> dict[str, int]:
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
    return identities.create(conn, source, sport_id, new, import_id)


def _note(conn: Connection, refs: Sequence[EventRef], stored: dict[str, StoredEvent]) -> None:
    """Of stored events: earlier first sights, and starts that were assumed and are known now."""
    again = [(stored[ref.event.key], ref) for ref in refs if ref.event.key in stored]
    identities.note_seen(conn, {event.id: ref.first_seen for event, ref in again})
    assumed = {e.id: ref.event.start for e, ref in again if e.start_assumed and not ref.event.start_assumed}
    identities.note_known(conn, assumed)


def _is_exchanged(sport: str, event: HistoryEvent, stored: StoredEvent | None) -> bool:
    ours = (stored.home_team, stored.away_team) if stored else (None, None)
    return bool(are_exchanged(sport, ours, (event.home, event.away)))
