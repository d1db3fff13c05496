"""Options by which every list can be narrowed. A name that does not exist is an error that tells which do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from psycopg import Connection

R = TypeVar("R")

SPORT = Annotated[
    str | None, typer.Option("--sport", help="Only of this sport (or sports, by how their key begins): nfl, soccer.")
]
BOOK = Annotated[str | None, typer.Option("--book", help="Only of this book, by its key.")]
SEASON = Annotated[
    int | None, typer.Option("--season", min=1900, max=2200, help="Only of this season, named by its first year.")
]
LIMIT = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many, the newest.")]
AGGREGATES = {"max", "avg"}


def known_sport(conn: Connection, name: str | None) -> str | None:
    """How the keys of the named sports begin; `LocalError` if the database has none of them."""
    from edge_assets.sports import ALIASES
    from edge_assets.store.names import sport_keys

    if name is None:
        return None
    begins = ALIASES.get(name.lower(), name.lower())
    keys = sport_keys(conn)
    if not any(key.startswith(begins) for key in keys):
        raise _unknown(name, keys, "sport")
    return begins


def known_book(conn: Connection, name: str | None) -> str | None:
    """The key of a book, or the name of an aggregate; `LocalError` if the database has none of that name."""
    from edge_assets.store.names import book_keys

    keys = book_keys(conn) | AGGREGATES
    if name is not None and name.lower() not in keys:
        raise _unknown(name, keys, "book")
    return name and name.lower()


def known_word(name: str | None, words: Collection[str], kind: str) -> str | None:
    """One of some words; `LocalError` for another."""
    if name is not None and name not in words:
        raise _unknown(name, words, kind)
    return name


def narrowed(rows: Iterable[R], *, sport: str | None = None, **equal: Any) -> list[R]:
    """The rows (mappings or objects) whose sport begins so and whose fields equal what is not None."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    return [
        row
        for row in rows
        if (sport is None or str(_field(row, "sport")).startswith(sport))
        and all(_field(row, name) == value for name, value in wanted.items())
    ]


def _field(row: Mapping[str, Any] | Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _unknown(name: str, known: Collection[str], kind: str) -> Exception:
    from edge_assets.local.errors import LocalError
    from edge_assets.pasted import unknown

    return LocalError(unknown(name, known, kind), f"choose another {kind}")
