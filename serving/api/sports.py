"""Resolves names of sports and books to the feed's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.reference.books import load_known_books
from edge_assets.reference.sports import SPORT_ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable


class NameNotFoundError(LookupError):
    """An unknown name of a sport or book; `known` are the existing ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.kind = kind
        self.name = name
        self.known = sorted(known)


def resolve_sport(name: str, stored: Iterable[str]) -> str:
    """The feed's key for `name`, given the keys `stored` in the database; `NameNotFoundError` otherwise."""
    key = name.strip().lower()
    keys = {*SPORT_ALIASES.values(), *stored}
    key = SPORT_ALIASES.get(key, key)
    if key not in keys:
        raise NameNotFoundError("sport", name, {*SPORT_ALIASES, *keys})
    return key


def resolve_book(name: str, stored: Iterable[str]) -> str:
    """The key of the book `name`, given the keys `stored` in the database; `NameNotFoundError` otherwise."""
    key, known = name.strip().lower(), {*load_known_books(), *stored}
    if key not in known:
        raise NameNotFoundError("book", name, known)
    return key
