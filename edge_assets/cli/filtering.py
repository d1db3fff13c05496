"""Options that filter lists. For an unknown name, the error suggests existing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from psycopg import Connection

RowT = TypeVar("RowT")

SportOption = Annotated[
    str | None,
    typer.Option("--sport", metavar="SPORT", help="Only this sport, or sports with this key prefix: nfl, soccer."),
]
BookOption = Annotated[str | None, typer.Option("--book", metavar="BOOK", help="Only this book, by its key.")]
SeasonOption = Annotated[
    int | None,
    typer.Option("--season", metavar="YEAR", min=1900, max=2200, help="Only this season, named by its first year."),
]
LimitOption = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=1_000_000, help="Show at most this many, the newest.")
]
AGGREGATE_BOOKS = {"max", "avg"}


def validate_sport(conn: Connection, name: str | None) -> str | None:
    """The key prefix for a sport name; `LocalError` if no sport in the database matches."""
    from edge_assets.reference.sports import SPORT_ALIASES
    from edge_assets.store.polls.dimension_keys import load_sport_keys

    if name is None:
        return None
    prefix = SPORT_ALIASES.get(name.lower(), name.lower())
    keys = load_sport_keys(conn)
    if not any(key.startswith(prefix) for key in keys):
        raise _unknown_name_error(name, keys, "sport")
    return prefix


def validate_book(conn: Connection, name: str | None) -> str | None:
    """The key of a book or aggregate; `LocalError` if the database does not have it."""
    from edge_assets.store.polls.dimension_keys import load_book_keys

    keys = load_book_keys(conn) | AGGREGATE_BOOKS
    if name is not None and name.lower() not in keys:
        raise _unknown_name_error(name, keys, "book")
    return name and name.lower()


def validate_choice(name: str | None, choices: Collection[str], kind: str) -> str | None:
    """The name if it is one of `choices`, or None; `LocalError` otherwise."""
    if name is not None and name not in choices:
        raise _unknown_name_error(name, choices, kind)
    return name


def filter_rows(rows: Iterable[RowT], *, sport: str | None = None, **equal: Any) -> list[RowT]:
    """The rows (mappings or objects) whose sport has this prefix and whose fields equal every value that is given."""
    conditions = {name: value for name, value in equal.items() if value is not None}
    return [
        row
        for row in rows
        if (sport is None or str(_field_value(row, "sport")).startswith(sport))
        and all(_field_value(row, name) == value for name, value in conditions.items())
    ]


def _field_value(row: Mapping[str, Any] | Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _unknown_name_error(name: str, known: Collection[str], kind: str) -> Exception:
    from edge_assets.core.settings_input import format_unknown_name
    from edge_assets.local.errors import LocalError

    return LocalError(format_unknown_name(name, known, kind), f"choose another {kind}")
