"""Which event a source means: its names for events, and the events that might be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from edge_assets.store import arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

TEXTS = ("names", "keys", "home", "away")
NAMED = """
SELECT e.id, s.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM event_sources AS s INNER JOIN events AS e ON s.event_id = e.id
WHERE s.source = %s AND s.key = ANY(%s::text[])
"""
UNNAMED = """
SELECT e.id, e.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM events AS e
WHERE
    e.sport_id = %s AND e.commence_at BETWEEN %s AND %s
    AND NOT EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source = %s)
"""
LISTED = """
SELECT e.id, e.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM events AS e
WHERE
    e.sport_id = %s AND e.commence_at BETWEEN %s AND %s
    AND EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source = %s)
    AND NOT EXISTS (SELECT FROM held_out_events AS h WHERE h.event_id = e.id)
ORDER BY e.id
"""
CREATE = """
WITH stated AS (
    SELECT * FROM unnest(
        %(names)s::text[], %(keys)s::text[], %(home)s::text[], %(away)s::text[], %(start)s::timestamptz[],
        %(seen)s::timestamptz[], %(assumed)s::boolean[]
    ) AS n (name, key, home, away, start, seen, assumed)
),
made AS (
    INSERT INTO events (
        key, sport_id, home_team, away_team, commence_at, original_commence_at, first_seen_at, start_assumed,
        import_id
    )
    SELECT key, %(sport)s, home, away, start, start, seen, assumed, %(import)s FROM stated
    ON CONFLICT (key) DO UPDATE SET first_seen_at = least(events.first_seen_at, excluded.first_seen_at)
    RETURNING key, id
),
started AS (
    INSERT INTO event_starts (event_id, observed_at, commence_at)
    SELECT m.id, s.seen, s.start FROM made AS m INNER JOIN stated AS s ON m.key = s.key
    ON CONFLICT (event_id, observed_at) DO NOTHING
),
linked AS (
    INSERT INTO event_sources (event_id, source, key)
    SELECT m.id, %(source)s, s.name FROM made AS m INNER JOIN stated AS s ON m.key = s.key
    ON CONFLICT (source, key) DO NOTHING
)
SELECT s.name, m.id FROM made AS m INNER JOIN stated AS s ON m.key = s.key
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
    """An event to create, under its source's name and the key that is its own."""

    name: str
    key: str
    home_team: str
    away_team: str
    commence_at: Micros
    first_seen_at: Micros
    start_assumed: bool


class Start(NamedTuple):
    """A start that an event was said to have, and when."""

    event_id: int
    observed_at: Micros
    commence_at: Micros


def named(conn: Connection, source: str, keys: Sequence[str]) -> dict[str, StoredEvent]:
    """The events that a source's keys are known to mean."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return {event.key: event for event in cursor.execute(NAMED, [source, arrays.texts(keys)])}


def unnamed(conn: Connection, source: str, sport_id: int, since: datetime, until: datetime) -> list[StoredEvent]:
    """The events of a sport that start in a period and for which the source has no name yet."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return cursor.execute(UNNAMED, [sport_id, since, until, source]).fetchall()


def listed(conn: Connection, source: str, sport_id: int, since: datetime, until: datetime) -> list[StoredEvent]:
    """The events of a sport that start in a period and that the source has named; not those that are held out."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return cursor.execute(LISTED, [sport_id, since, until, source]).fetchall()


def create(
    conn: Connection, source: str, sport_id: int, events: Sequence[NewEvent], import_id: int | None = None
) -> dict[str, int]:
    """Store new events with the starts that they were first said to have; their ids by the source's names."""
    if not events:
        return {}
    names, keys, home, away, start, seen, assumed = zip(*events, strict=True)
    values = {
        "source": source,
        "sport": sport_id,
        "import": import_id,
        **{name: arrays.texts(texts) for name, texts in zip(TEXTS, (names, keys, home, away), strict=True)},
        "start": arrays.times(start),
        "seen": arrays.times(seen),
        "assumed": arrays.numbers(assumed, "b1"),
    }
    # a generic plan would join ten rows, whatever there are
    return dict(conn.execute(CREATE, values, prepare=False).fetchall())


def link(conn: Connection, source: str, keys: Mapping[str, int]) -> None:
    """Remember which events a source's keys mean."""
    if keys:
        conn.execute(LINK, [source, arrays.numbers([*keys.values()], "i4"), arrays.texts([*keys])])


def note_seen(conn: Connection, seen: Mapping[int, Micros]) -> None:
    """Events were seen at these moments; the first one counts."""
    if seen:
        conn.execute(SEEN, _moments(seen))


def note_known(conn: Connection, starts: Mapping[int, Micros]) -> None:
    """Replace starts that were assumed."""
    if starts:
        conn.execute(KNOWN_START, _moments(starts))


def note_moved(conn: Connection, starts: Sequence[Start]) -> None:
    """Events have other starts from some moments on."""
    if starts:
        ids, at, commence_at = zip(*starts, strict=True)
        events, moments = arrays.numbers(ids, "i4"), arrays.times(commence_at)
        conn.execute(STARTS, [events, arrays.times(at), moments])
        conn.execute(MOVED, [events, moments])


def _moments(by_event: Mapping[int, Micros]) -> list[arrays.ArrayParameter]:
    return [arrays.numbers([*by_event], "i4"), arrays.times([*by_event.values()])]


def settle_starts(conn: Connection, ids: Sequence[int]) -> None:
    """Make the first and the last of an event's starts what they were said to be, in whichever order they were told."""
    conn.execute(SETTLE, [list(ids)])
