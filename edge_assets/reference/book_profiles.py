"""Profiles of the books: weight, commission, clone group, settlement rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.reference.books import find_book
from ml.scoring import BookProfile
from ml.settlement import find_rules

if TYPE_CHECKING:
    from collections.abc import Mapping


def book_profile(key: str, weights: Mapping[str, float], sport: str = "") -> BookProfile:
    """The profile of a book by its key; `weights` overrides single weights (`EDGE_BOOK_WEIGHTS`).

    Settlement rules depend on the `sport`; without one they are unknown.
    """
    book = find_book(key, weights)
    return BookProfile(
        book.weight, book.commission, book.clone_of or key, lambda market: find_rules(sport, market, key)
    )
