"""Ids of the names that feeds use: cached in memory, created in the database when new."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from edge_assets.core.texts import UnusableTextError
from edge_assets.store.postgres.database import connect, is_content_rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

UPSERT_NAMES = {
    "sports": (
        "INSERT INTO sports (key, title) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET title = "
        "CASE excluded.title WHEN excluded.key THEN sports.title ELSE excluded.title END RETURNING id"
    ),
    "books": (
        "INSERT INTO books (key, title) VALUES (%s, %s) "
        "ON CONFLICT (key) DO UPDATE SET title = excluded.title RETURNING id"
    ),
    "markets": (
        "INSERT INTO markets (key) VALUES (%s) ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id"
    ),
    "outcomes": (
        "INSERT INTO outcomes (name, description) VALUES (%s, %s) "
        "ON CONFLICT (name, description) DO UPDATE SET name = excluded.name RETURNING id"
    ),
}
UPSERT_EVENT = """
INSERT INTO events (key, sport_id, home_team, away_team, commence_at, original_commence_at, first_seen_at)
VALUES (
    coalesce((
        SELECT e.key FROM event_sources AS s INNER JOIN events AS e ON s.event_id = e.id
        WHERE s.source = 'odds-api' AND s.key = %(key)s
    ), %(key)s), %(sport)s, %(home)s, %(away)s, %(start)s, %(start)s, %(seen)s
)
ON CONFLICT (key) DO UPDATE SET commence_at = excluded.commence_at,
first_seen_at = least(events.first_seen_at, excluded.first_seen_at),
home_team = coalesce(events.home_team, excluded.home_team), away_team = coalesce(events.away_team, excluded.away_team)
RETURNING id, home_team, away_team
"""
"""If an import has stored the event under another key, that row is the event."""
INSERT_EVENT_SOURCE = """
INSERT INTO event_sources (event_id, source, key) VALUES (%(event)s, 'odds-api', %(key)s) ON CONFLICT DO NOTHING
"""
UPSERT_EVENT_START = """
INSERT INTO event_starts (event_id, observed_at, commence_at)
SELECT %(event)s, %(seen)s, %(start)s
WHERE %(start)s IS DISTINCT FROM (
    SELECT commence_at FROM event_starts
    WHERE event_id = %(event)s ORDER BY observed_at DESC LIMIT 1
)
ON CONFLICT (event_id, observed_at) DO UPDATE SET commence_at = excluded.commence_at
"""


class IdRegistry:
    """The ids of one database's names, on a separate autocommit connection.

    Ids are committed immediately, so that a rolled-back poll leaves no unknown id in memory. A name that the database
    rejects (for its content, or because ids ran out: books have 32,767) raises `UnusableTextError`, as does one beyond
    the limit of new names.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._ids: dict[str, dict[tuple[Any, ...], int]] = {table: {} for table in UPSERT_NAMES}
        self._book_keys: dict[int, str] = {}
        self._book_titles: dict[int, str] = {}
        self._sport_keys: dict[int, str] = {}
        self._events: dict[str, tuple[int, datetime]] = {}
        self._sides: dict[int, tuple[str | None, str | None]] = {}
        self._new_names_left: dict[str, int] = {}
        self._load_ids()

    @classmethod
    def load(cls, source: str | Connection) -> IdRegistry:
        """Open the registry of a database URL, or of a connection's database."""
        return cls(connect(source if isinstance(source, str) else _full_dsn(source), "vocabulary"))

    def limit_new_names(self, **tables: tuple[int, int]) -> None:
        """Limit new names from now on, by table: up to the first number in total, but at least the second more."""
        self._new_names_left = {
            table: max(upto - len(self._ids[table]), more) for table, (upto, more) in tables.items()
        }

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()

    def sport(self, key: str, title: str | None = None) -> int:
        """The id of a sport; its title defaults to its key."""
        known = self._ids["sports"].get((key,))
        return known if known is not None else self._create("sports", (key,), (key, title or key))

    def book(self, key: str, title: str) -> int:
        """The id of a bookmaker or exchange."""
        known = self._ids["books"].get((key,))
        if known is None:
            known = self._create("books", (key,), (key, title))
            self._book_keys[known], self._book_titles[known] = key, title
        return known

    def market(self, key: str) -> int:
        """The id of a market."""
        known = self._ids["markets"].get((key,))
        return known if known is not None else self._create("markets", (key,), (key,))

    def outcome(self, name: str, description: str | None) -> int:
        """The id of an outcome that is not one of `ml.quotes.Outcome`."""
        known = self._ids["outcomes"].get((name, description))
        return known if known is not None else self._create("outcomes", (name, description), (name, description))

    def event(
        self,
        key: str,
        sport_id: int,
        home: str | None,
        away: str | None,
        commence_at: datetime,
        observed_at: datetime,
    ) -> int:
        """The id of an event; a start that moved is recorded with the moment it was stated."""
        known = self._events.get(key)
        if known is not None and known[1] == commence_at:
            return known[0]
        values = {
            "key": key,
            "sport": sport_id,
            "home": home,
            "away": away,
            "start": commence_at,
            "seen": observed_at,
        }
        with _rejecting_content(), self._conn.transaction():
            event_id, home, away = self._fetch_row(UPSERT_EVENT, values)
            self._conn.execute(UPSERT_EVENT_START, values | {"event": event_id})
            self._conn.execute(INSERT_EVENT_SOURCE, values | {"event": event_id})
        self._events[key] = event_id, commence_at
        self._sides[event_id] = home, away
        return int(event_id)

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        """Home and away of an event returned by `event`, as named by its first source."""
        return self._sides[event_id]

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        """Replace an event's placeholders with teams."""
        self._conn.execute("UPDATE events SET home_team = %s, away_team = %s WHERE id = %s", [*sides, event_id])
        self._sides[event_id] = sides

    def book_key(self, book_id: int) -> str:
        """The key of a book; one added by another process is loaded.

        Raises `KeyError` if there is no such book.
        """
        if book_id not in self._book_keys:
            self._load_ids()
        return self._book_keys[book_id]

    def book_title(self, book_id: int) -> str:
        """The title of a book; raises like `book_key`."""
        if book_id not in self._book_titles:
            self._load_ids()
        return self._book_titles[book_id]

    def sport_key(self, sport_id: int) -> str:
        """The key of a sport. Raises `KeyError` if there is no such sport."""
        if sport_id not in self._sport_keys:
            self._load_ids()
        return self._sport_keys[sport_id]

    def _create(self, table: str, name: tuple[Any, ...], values: tuple[Any, ...]) -> int:
        if (left := self._new_names_left.get(table)) is not None:
            if left <= 0:
                raise UnusableTextError(f"too_many_new_{table}")
            self._new_names_left[table] = left - 1
        with _rejecting_content():
            created = self._ids[table][name] = int(self._fetch_row(UPSERT_NAMES[table], values)[0])
        return created

    def _fetch_row(self, query: str, values: Any) -> tuple[Any, ...]:
        row = self._conn.execute(query, values).fetchone()
        if row is None:
            msg = f"could not find or create the row for {values!r}"
            raise LookupError(msg)
        return row

    def _load_ids(self) -> None:
        for table, columns in (
            ("sports", "key"),
            ("books", "key"),
            ("markets", "key"),
            ("outcomes", "name, description"),
        ):
            for row in self._conn.execute(f"SELECT {columns}, id FROM {table}"):
                self._ids[table][row[:-1]] = row[-1]
        self._book_keys = {i: key[0] for key, i in self._ids["books"].items()}
        self._book_titles = dict(self._conn.execute("SELECT id, title FROM books").fetchall())
        self._sport_keys = {i: key[0] for key, i in self._ids["sports"].items()}


@contextmanager
def _rejecting_content() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if not is_content_rejected(error):
            raise
        raise UnusableTextError("refused_by_database") from error


def _full_dsn(conn: Connection) -> str:
    return make_conninfo(conn.info.dsn, password=conn.info.password)
