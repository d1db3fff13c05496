"""The well-known books: which regions list them, which are exchanges, which merely follow another one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

REGIONS = frozenset({"us", "us2", "us_dfs", "us_ex", "uk", "eu", "fr", "se", "au"})


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A book; `clone_of` is the key of the book whose prices it follows."""

    title: str
    regions: tuple[str, ...]
    exchange: bool = False
    clone_of: str | None = None


@cache
def well_known_books() -> dict[str, Book]:
    """Every book of `books.toml` by key. A book that is not in it is valid: the list churns."""
    return msgspec.toml.decode(files(__package__).joinpath("books.toml").read_bytes(), type=dict[str, Book])


@cache
def is_listed(book: str, regions: frozenset[str]) -> bool:
    """Whether one of `regions` lists the book; an unknown book counts for every region."""
    known = well_known_books().get(book)
    return known is None or not regions.isdisjoint(known.regions)
