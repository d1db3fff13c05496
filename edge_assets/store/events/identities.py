"""Sources' names for events, and candidate events to match."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from edge_assets.store.postgres import array_params

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

TEXT_COLUMNS = ("names", "keys", "home", "away")
SELECT_EVENTS_BY_SOURCE_KEY = """
SELECT e.id, s.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM event_sources AS s INNER JOIN events AS e ON s.event_id = e.id
WHERE s.source = %s AND s.key = ANY(%s::text[])
"""
SELECT_UNLINKED_EVENTS = """
SELECT e.id, e.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM events AS e
WHERE
    e.sport_id = %s AND e.commence_at BETWEEN %s AND %s
    AND NOT EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source = %s)
"""
SELECT_LISTED_EVENTS = """
SELECT e.id, e.key, e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM events AS e
WHERE
    e.sport_id = %s AND e.commence_at BETWEEN %s AND %s
    AND EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source = %s)
    AND NOT EXISTS (SELECT FROM held_out_events AS h WHERE h.event_id = e.id)
ORDER BY e.id
"""
SELECT_SEASONS = """
SELECT season_of(s.key, n.start)
FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS n (start, number)
INNER JOIN sports AS s ON s.id = %(sport)s
ORDER BY n.number
"""
SELECT_EVENTS_OF_SEASONS = """
WITH still_listed AS MATERIALIZED (
    SELECT event_id FROM event_sources WHERE source = %(source)s AND key = ANY(%(keys)s::text[])
),
candidates AS MATERIALIZED (
    SELECT season_of(s.key, e.original_commence_at) AS season, e.*
    FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id
    WHERE
        e.sport_id = %(sport)s AND e.original_commence_at BETWEEN %(since)s AND %(until)s
        AND e.id NOT IN (SELECT event_id FROM still_listed)
        AND EXISTS (SELECT FROM event_sources AS o WHERE o.event_id = e.id AND o.source = %(source)s)
)
SELECT
    e.season, EXISTS (SELECT FROM results AS r WHERE r.event_id = e.id AND r.status <> 'postponed'), e.id, e.key,
    e.home_team, e.away_team, e.commence_at, e.start_assumed
FROM candidates AS e
WHERE
    e.season = ANY(%(seasons)s::integer[])
    AND NOT EXISTS (SELECT FROM held_out_events AS h WHERE h.event_id = e.id)
ORDER BY e.id
"""
SELECT_NAMED_EVENTS = """
SELECT
    e.id, e.key, s.key AS sport, season_of(s.key, e.original_commence_at) AS season, e.home_team, e.away_team,
    e.commence_at, EXISTS (SELECT FROM results AS r WHERE r.event_id = e.id) AS has_result
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id
WHERE
    e.home_team IS NOT NULL AND e.away_team IS NOT NULL
    AND NOT EXISTS (SELECT FROM held_out_events AS h WHERE h.event_id = e.id)
ORDER BY e.commence_at, e.id
"""
INSERT_EVENTS = """
WITH stated AS (
    SELECT * FROM unnest(
        %(names)s::text[], %(keys)s::text[], %(home)s::text[], %(away)s::text[], %(start)s::timestamptz[],
        %(seen)s::timestamptz[], %(assumed)s::boolean[]
    ) AS n (name, key, home, away, start, seen, assumed)
),
inserted AS (
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
    SELECT m.id, s.seen, s.start FROM inserted AS m INNER JOIN stated AS s ON m.key = s.key
    ON CONFLICT (event_id, observed_at) DO NOTHING
),
linked AS (
    INSERT INTO event_sources (event_id, source, key)
    SELECT m.id, %(source)s, s.name FROM inserted AS m INNER JOIN stated AS s ON m.key = s.key
    ON CONFLICT (source, key) DO NOTHING
)
SELECT s.name, m.id FROM inserted AS m INNER JOIN stated AS s ON m.key = s.key
"""
INSERT_EVENT_SOURCES = """
INSERT INTO event_sources (event_id, source, key)
SELECT event_id, %s, key FROM unnest(%s::integer[], %s::text[]) AS n (event_id, key)
ON CONFLICT (source, key) DO NOTHING
"""
UPDATE_FIRST_SEEN = """
UPDATE events AS e SET first_seen_at = n.seen
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, seen)
WHERE e.id = n.id AND e.first_seen_at > n.seen
"""
UPDATE_ASSUMED_STARTS = """
UPDATE events AS e SET commence_at = n.start, original_commence_at = n.start, start_assumed = false
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, start)
WHERE e.id = n.id AND e.start_assumed
"""
INSERT_EVENT_STARTS = """
INSERT INTO event_starts (event_id, observed_at, commence_at)
SELECT * FROM unnest(%s::integer[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (event_id, observed_at) DO NOTHING
"""
UPDATE_STARTS = """
UPDATE events AS e SET commence_at = n.start
FROM unnest(%s::integer[], %s::timestamptz[]) AS n (id, start) WHERE e.id = n.id
"""
RECOMPUTE_STARTS = """
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
    """A stored event, under the requested key or, if none was requested, its own."""

    id: int
    key: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    start_assumed: bool


class NamedEvent(NamedTuple):
    """A stored event with the names of both teams, its sport's key, its season, and whether it has a result."""

    id: int
    key: str
    sport: str
    season: int
    home_team: str
    away_team: str
    commence_at: datetime
    has_result: bool


class NewEvent(NamedTuple):
    """An event to create, under its source's name and the key that is its own."""

    name: str
    key: str
    home_team: str
    away_team: str
    commence_at: Micros
    first_seen_at: Micros
    start_assumed: bool


class StatedStart(NamedTuple):
    """A start stated for an event, and when."""

    event_id: int
    observed_at: Micros
    commence_at: Micros


def load_events_by_source_key(conn: Connection, source: str, keys: Sequence[str]) -> dict[str, StoredEvent]:
    """The events linked to a source's keys."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return {
            event.key: event
            for event in cursor.execute(SELECT_EVENTS_BY_SOURCE_KEY, [source, array_params.encode_texts(keys)])
        }


def load_unlinked_events(
    conn: Connection, source: str, sport_id: int, since: datetime, until: datetime
) -> list[StoredEvent]:
    """The events of a sport that start in a period and for which the source has no name yet."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return cursor.execute(SELECT_UNLINKED_EVENTS, [sport_id, since, until, source]).fetchall()


def load_listed_events(
    conn: Connection, source: str, sport_id: int, since: datetime, until: datetime
) -> list[StoredEvent]:
    """The events of a sport that start in a period and that the source has named; not those that are held out."""
    with conn.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return cursor.execute(SELECT_LISTED_EVENTS, [sport_id, since, until, source]).fetchall()


def load_seasons(conn: Connection, sport_id: int, starts: Sequence[Micros]) -> list[int]:
    """The season of each start (n,)."""
    values = {"sport": sport_id, "starts": array_params.encode_timestamps(starts)}
    return [season for (season,) in conn.execute(SELECT_SEASONS, values)]


def load_events_of_seasons(
    conn: Connection,
    source: str,
    sport_id: int,
    seasons: Collection[int],
    period: tuple[datetime, datetime],
    listed_keys: Sequence[str],
) -> list[tuple[int, bool, StoredEvent]]:
    """A source's events of the `seasons` that start in a `period`, with their seasons, and whether each has a result;
    not those still listed as `listed_keys`.
    """
    values = {
        "source": source,
        "sport": sport_id,
        "seasons": sorted(set(seasons)),
        "since": period[0],
        "until": period[1],
        "keys": array_params.encode_texts(listed_keys),
    }
    found = conn.execute(SELECT_EVENTS_OF_SEASONS, values)
    return [(season, has_result, StoredEvent(*event)) for season, has_result, *event in found]


def load_named_events(conn: Connection) -> list[NamedEvent]:
    """All events with both teams' names, in order of their starts; not those that are held out."""
    with conn.cursor(row_factory=class_row(NamedEvent)) as cursor:
        return cursor.execute(SELECT_NAMED_EVENTS).fetchall()


def create_events(
    conn: Connection, source: str, sport_id: int, events: Sequence[NewEvent], import_id: int | None = None
) -> dict[str, int]:
    """Store new events with their first stated starts; return their ids by the source's names."""
    if not events:
        return {}
    names, keys, home, away, start, seen, assumed = zip(*events, strict=True)
    values = {
        "source": source,
        "sport": sport_id,
        "import": import_id,
        **{
            name: array_params.encode_texts(texts)
            for name, texts in zip(TEXT_COLUMNS, (names, keys, home, away), strict=True)
        },
        "start": array_params.encode_timestamps(start),
        "seen": array_params.encode_timestamps(seen),
        "assumed": array_params.encode_numbers(assumed, "?"),
    }
    # a generic plan would assume ten rows
    return dict(conn.execute(INSERT_EVENTS, values, prepare=False).fetchall())


def link_source_keys(conn: Connection, source: str, keys: Mapping[str, int]) -> None:
    """Link a source's keys to events."""
    if keys:
        conn.execute(
            INSERT_EVENT_SOURCES,
            [source, array_params.encode_numbers([*keys.values()], "i4"), array_params.encode_texts([*keys])],
        )


def update_first_seen(conn: Connection, first_seen: Mapping[int, Micros]) -> None:
    """Record when events were seen; the earliest moment counts."""
    if first_seen:
        conn.execute(UPDATE_FIRST_SEEN, _event_times(first_seen))


def replace_assumed_starts(conn: Connection, starts: Mapping[int, Micros]) -> None:
    """Replace starts that were assumed."""
    if starts:
        conn.execute(UPDATE_ASSUMED_STARTS, _event_times(starts))


def record_start_changes(conn: Connection, starts: Sequence[StatedStart]) -> None:
    """Record changed starts of events, each with the moment it was stated."""
    if starts:
        ids, at, commence_at = zip(*starts, strict=True)
        events, new_starts = array_params.encode_numbers(ids, "i4"), array_params.encode_timestamps(commence_at)
        conn.execute(INSERT_EVENT_STARTS, [events, array_params.encode_timestamps(at), new_starts])
        conn.execute(UPDATE_STARTS, [events, new_starts])


def _event_times(times: Mapping[int, Micros]) -> list[array_params.ArrayParameter]:
    return [array_params.encode_numbers([*times], "i4"), array_params.encode_timestamps([*times.values()])]


def recompute_starts(conn: Connection, ids: Sequence[int]) -> None:
    """Recompute an event's first and latest stated start, whatever the order of arrival."""
    conn.execute(RECOMPUTE_STARTS, [list(ids)])
