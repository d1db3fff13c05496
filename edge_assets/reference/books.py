"""The well-known books: which regions list them, which are exchanges, whom they follow, and how much they count."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS = frozenset({"us", "us2", "us_dfs", "us_ex", "uk", "eu", "fr", "se", "au"})


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A book; `clone_of` is the key of the book whose prices it follows.

    `weight` is what it counts in the consensus, `commission` what it keeps of net winnings. A book without regions
    counts for every one.
    """

    title: str
    regions: tuple[str, ...]
    exchange: bool = False
    clone_of: str | None = None
    weight: float = 1.0
    commission: float = 0.0


@cache
def load_known_books() -> dict[str, Book]:
    """Every book of `books.toml` by key. A book that is not in it is valid: the list churns."""
    return msgspec.toml.decode(files(__package__).joinpath("books.toml").read_bytes(), type=dict[str, Book])


@cache
def is_listed_in(book: str, regions: frozenset[str]) -> bool:
    """Whether one of `regions` lists the book; an unknown book counts for every region."""
    entry = load_known_books().get(book)
    return entry is None or not entry.regions or not regions.isdisjoint(entry.regions)


def find_book(key: str, weights: Mapping[str, float]) -> Book:
    """What is known of a book, an unknown one included; `weights` overrides single weights."""
    book = load_known_books().get(key) or Book(key, ())
    return msgspec.structs.replace(book, weight=weights.get(key, book.weight))


def book_weights(overrides: Mapping[str, float]) -> dict[str, float]:
    """The weights of the well-known books by key, with `overrides` in place of single ones; any other weighs 1."""
    return {key: book.weight for key, book in load_known_books().items()} | dict(overrides)
