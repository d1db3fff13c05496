"""Readers behind the REST answers and the live board."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row, scalar_row

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from psycopg import Connection

SELECT_LIVE_FEED = """
SELECT feed FROM polls WHERE id = (SELECT max(last_poll_id) FROM poll_totals WHERE NOT is_imported)
"""


class StoredSport(NamedTuple):
    """A sport of this database."""

    id: int
    key: str
    title: str


class StoredBook(NamedTuple):
    """A book of this database."""

    id: int
    key: str
    title: str


class ListedEvent(NamedTuple):
    """An event with its teams and its latest stated start."""

    id: int
    key: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime


def load_sports(conn: Connection) -> dict[str, StoredSport]:
    """All sports by key."""
    with conn.cursor(row_factory=class_row(StoredSport)) as cursor:
        return {s.key: s for s in cursor.execute("SELECT id, key, title FROM sports")}


def load_books(conn: Connection) -> dict[int, StoredBook]:
    """All books by id."""
    with conn.cursor(row_factory=class_row(StoredBook)) as cursor:
        return {b.id: b for b in cursor.execute("SELECT id, key, title FROM books")}


def load_events(conn: Connection, ids: Collection[int]) -> dict[int, ListedEvent]:
    """Events by id."""
    with conn.cursor(row_factory=class_row(ListedEvent)) as cursor:
        rows = cursor.execute(
            "SELECT id, key, home_team, away_team, commence_at FROM events WHERE id = ANY(%s)", [list(ids)]
        )
        return {e.id: e for e in rows}


def has_event(conn: Connection, sport_id: int, event_id: int) -> bool:
    """Whether the event is one of the sport."""
    return conn.execute("SELECT FROM events WHERE (id, sport_id) = (%s, %s)", [event_id, sport_id]).rowcount > 0


def load_last_alert_id(conn: Connection) -> int:
    """The newest alert's id, 0 if there is none."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute("SELECT coalesce(max(id), 0) FROM alerts").fetchone() or 0)


def find_live_feed(conn: Connection) -> str | None:
    """The feed from which this database is polled, None before the first poll; imports do not count."""
    last = conn.execute(SELECT_LIVE_FEED).fetchone()
    return last[0] if last else None
