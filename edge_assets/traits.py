"""What is known of the books whose prices are valued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.books import known_book
from ml.scoring import Traits
from ml.settlement import known_rules

if TYPE_CHECKING:
    from collections.abc import Mapping


def traits(key: str, weights: Mapping[str, float], sport: str = "") -> Traits:
    """The traits of a book by its key; `weights` overrides single weights (`EDGE_BOOK_WEIGHTS`).

    How a book settles depends on the `sport`: without one it is not known.
    """
    book = known_book(key, weights)
    return Traits(book.weight, book.commission, book.clone_of or key, lambda market: known_rules(sport, market, key))
