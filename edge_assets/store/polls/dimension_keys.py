"""The keys in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection


def load_sport_keys(conn: Connection) -> set[str]:
    """The keys of all sports."""
    return {key for (key,) in conn.execute("SELECT key FROM sports")}


def load_book_keys(conn: Connection) -> set[str]:
    """The keys of all books."""
    return {key for (key,) in conn.execute("SELECT key FROM books")}
