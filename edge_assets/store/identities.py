"""Which event a source means: its names for events, and the events that might be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

NAMED = """
SELECT e.id, s.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM event_sources AS s INNER JOIN events AS e ON s.event_id = e.id
WHERE s.source = %s AND s.key = ANY(%s)
"""
UNNAMED = """
SELECT e.id, e.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM events AS e
WHERE
    e.sport_id = %s AND e.commence_at BETWEEN %s AND %s
    AND NOT EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source = %s)
"""
CREATE = """
INSERT INTO events (
    key, sport_id, home_team, away_team, commence_at, original_commence_at, first_seen_at, start_assumed
)
SELECT key, %s, home, away, start, start, seen, assumed
FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::boolean[]
) AS n (key, home, away, start, seen, assumed)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING key, id
"""
LINK = """
INSERT INTO event_sources (event_id, source, key)
SELECT event_id, %s, key FROM unnest(%s::integer[], %s::text[]) AS n (event_id, key)
ON CONFLICT (source, key) DO NOTHING
"""
SEEN = """
UPDATE events AS e SET first_seen_at = n.seen
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, seen)
WHERE e.id = n.id AND e.first_seen_at > n.seen
"""
KNOWN_START = """
UPDATE events AS e SET commence_at = n.start, original_commence_at = n.start, start_assumed = false
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, start)
WHERE e.id = n.id AND e.start_assumed
"""
STARTS = """
INSERT INTO event_starts (event_id, observed_at, commence_at)
SELECT * FROM unnest(%s::integer[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (event_id, observed_at) DO NOTHING
"""
MOVED = """
UPDATE events AS e SET commence_at = n.start
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, start) WHERE e.id = n.id
"""
SETTLE = """
UPDATE events AS e SET commence_at = s.latest, original_commence_at = s.earliest
FROM (
    SELECT
        event_id, (array_agg(commence_at ORDER BY observed_at))[1] AS earliest,
        (array_agg(commence_at ORDER BY observed_at DESC))[1] AS latest
    FROM event_starts WHERE event_id = ANY(%s) GROUP BY event_id
) AS s
WHERE e.id = s.event_id AND (e.commence_at, e.original_commence_at) IS DISTINCT FROM (s.latest, s.earliest)
"""


class StoredEvent(NamedTuple):
    """An event that is stored, under the key that was asked for or, where none was, its own."""

    id: int
    key: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    start_assumed: bool


class NewEvent(NamedTuple):
    """An event to create."""

    key: str
    home_team: str
    away_team: str
    commence_at: datetime
    first_seen_at: datetime
    start_assumed: bool


class Start(NamedTuple):
    """A start that an event was said to have, and when."""

    event_id: int
    observed_at: datetime
    commence_at: datetime


def named(conn: Connection, source: str, keys: Sequence[str]) -> dict[str, StoredEvent]:
    """The events that a source's keys are known to mean."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return {event.key: event for event in cursor.execute(NAMED, [source, list(keys)])}


def unnamed(conn: Connection, source: str, sport_id: int, since: datetime, until: datetime) -> list[StoredEvent]:
    """The events of a sport that start in a period and for which the source has no name yet."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return cursor.execute(UNNAMED, [sport_id, since, until, source]).fetchall()


def create(conn: Connection, sport_id: int, events: Sequence[NewEvent]) -> dict[str, int]:
    """Store new events; their ids by key."""
    columns = [list(column) for column in zip(*events, strict=True)]
    return dict(conn.execute(CREATE, [sport_id, *columns]).fetchall()) if events else {}


def link(conn: Connection, source: str, keys: Mapping[str, int]) -> None:
    """Remember which events a source's keys mean."""
    conn.execute(LINK, [source, list(keys.values()), list(keys)])


def note_seen(conn: Connection, seen: Mapping[int, datetime]) -> None:
    """Events were seen at these moments; the first one counts."""
    conn.execute(SEEN, [list(seen), list(seen.values())])


def note_starts(conn: Connection, known: Mapping[int, datetime], moved: Sequence[Start]) -> None:
    """Replace starts that were assumed by `known` ones, and add those that they `moved` to."""
    conn.execute(KNOWN_START, [list(known), list(known.values())])
    if moved:
        ids, at, starts = (list(column) for column in zip(*moved, strict=True))
        conn.execute(STARTS, [ids, at, starts])
        conn.execute(MOVED, [ids, starts])


def record_starts(conn: Connection, starts: Sequence[Start]) -> None:
    """Keep the starts that events were first said to have."""
    if starts:
        conn.execute(STARTS, [list(column) for column in zip(*starts, strict=True)])


def settle_starts(conn: Connection, ids: Sequence[int]) -> None:
    """Make the first and the last of an event's starts what they were said to be, in whichever order they were told."""
    conn.execute(SETTLE, [list(ids)])
