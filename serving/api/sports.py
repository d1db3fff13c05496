"""Names of sports and books: what people type, and the feed's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.books import well_known_books
from edge_assets.sports import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownNameError(LookupError):
    """A name of a sport or a book that this installation does not know; `known` are those there are."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.kind = kind
        self.name = name
        self.known = sorted(known)


def resolve_sport(name: str, stored: Iterable[str]) -> str:
    """The feed's key for `name`, given the keys `stored` in the database; `UnknownNameError` otherwise."""
    wanted = name.strip().lower()
    keys = {*ALIASES.values(), *stored}
    key = ALIASES.get(wanted, wanted)
    if key not in keys:
        raise UnknownNameError("sport", name, {*ALIASES, *keys})
    return key


def resolve_book(name: str, stored: Iterable[str]) -> str:
    """The key of the book `name`, given the keys `stored` in the database; `UnknownNameError` otherwise."""
    key, known = name.strip().lower(), {*well_known_books(), *stored}
    if key not in known:
        raise UnknownNameError("book", name, known)
    return key
