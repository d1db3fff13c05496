"""The known books: regions, exchanges, clones, consensus weights and commissions."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE_BOOK = "pinnacle"
"""The sharp book that fair prices are measured against where no other is named."""
REGIONS = frozenset({"us", "us2", "us_dfs", "us_ex", "uk", "eu", "fr", "se", "au"})


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A book; `clone_of` is the key of the book whose prices it copies.

    `weight` is its weight in the consensus, `commission` its share of net winnings. A book without regions counts as
    listed in all.
    """

    title: str
    regions: tuple[str, ...]
    exchange: bool = False
    clone_of: str | None = None
    weight: float = 1.0
    commission: float = 0.0


@cache
def load_known_books() -> dict[str, Book]:
    """Every book of `books.toml` by key. Other books are valid too: the feed adds some."""
    return msgspec.toml.decode(files(__package__).joinpath("books.toml").read_bytes(), type=dict[str, Book])


@cache
def is_listed_in(book: str, regions: frozenset[str]) -> bool:
    """Whether one of `regions` lists the book; an unknown book counts as listed in all."""
    entry = load_known_books().get(book)
    return entry is None or not entry.regions or not regions.isdisjoint(entry.regions)


def find_book(key: str, weights: Mapping[str, float]) -> Book:
    """The entry of a book, with defaults for an unknown one; `weights` overrides single weights."""
    book = load_known_books().get(key) or Book(key, ())
    return msgspec.structs.replace(book, weight=weights.get(key, book.weight))


def book_weights(overrides: Mapping[str, float]) -> dict[str, float]:
    """The weights of the known books by key, with `overrides` applied; any other book has weight 1."""
    return {key: book.weight for key, book in load_known_books().items()} | dict(overrides)
