"""What is known of the market of events at the moment of a decision: the input of every feature and of every model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ml.market import devig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import Market

    Array = NDArray[np.float64]

BOOKSUM_RANGE = (0.92, 1.4)
"""A book outside is in error; it counts as having no price. As the quality gate has it for a line of three outcomes."""


@dataclass(frozen=True, slots=True, eq=False)
class MarketView:
    """Events (E,) with the prices on offer `at` a moment; one market, one line each, times in microseconds.

    `price` (E, B, n) of the `books`, NaN where one has none on this line; `average` (E, n) and `best` (E, n) price over
    all books. `age` (E, B) seconds since the price was first seen. `reference` is the sharp book's key. `point` (E,) is
    the line's, of the first outcome, NaN where the market has none. `supremacy` (E,), log(p_home / p_away), and `total`
    (E,), log-odds of over at the main total, are what the other markets say, NaN where they say nothing.
    """

    market: Market
    start: NDArray[np.int64]
    at: NDArray[np.int64]
    home: NDArray[np.int32]
    away: NDArray[np.int32]
    books: tuple[str, ...]
    price: Array
    age: Array
    average: Array
    best: Array
    point: Array
    supremacy: Array
    total: Array
    reference: str
    fair: Array = field(init=False)
    fair_average: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fair", fair_where_sound(self.price))
        object.__setattr__(self, "fair_average", fair_where_sound(self.average))

    @property
    def reference_price(self) -> Array:
        """The sharp book's prices (E, n), NaN where it has none."""
        return self._of_reference(self.price)

    @property
    def fair_reference(self) -> Array:
        """The sharp book's fair probabilities (E, n), NaN where it has no price."""
        return self._of_reference(self.fair)

    def _of_reference(self, values: Array) -> Array:
        if self.reference not in self.books:
            return np.full_like(self.average, np.nan)
        reference: Array = values[:, self.books.index(self.reference)]
        return reference


def fair_where_sound(price: Array) -> Array:
    """Fair probabilities (..., n) by the power method; NaN where a price is missing or the booksum impossible."""
    total = (1 / price).sum(axis=-1, keepdims=True)
    low, high = BOOKSUM_RANGE
    return devig(np.where((total >= low) & (total <= high), price, np.nan)).probabilities
