"""How much each book's opinion counts: sharpness, freshness, what stands behind the price, and clones merged.

A book's weight is the product of its sharpness (a number of the user's, 1 by default), `freshness` and `liquidity`;
`merged` then lets books that copy each other count as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Clones: TypeAlias = "Sequence[NDArray[np.intp]]"
"""Groups of books that copy each other, by their columns."""

FRESH_AGES = (60.0, 300.0)
"""Seconds up to which a price counts fully, and well. Steps, not a curve: an estimate then changes only when a price or
a step does, and need not be worked out again at every moment. A convention, as are the shares."""
FRESH_SHARES = (1.0, 0.7, 0.4)


def freshness(age_seconds: Array) -> Array:
    """The share of its weight that a price of this age keeps; same shape."""
    share: Array = np.array(FRESH_SHARES)[np.searchsorted(FRESH_AGES, age_seconds)]
    return share


def liquidity(size: Array, typical: float) -> Array:
    """The share of its weight that an exchange's price keeps: size / (size + typical), 1 where the size is unknown.

    `size` is what can be had at the price, in the currency of `typical`, a usual size; at that, the price counts half.
    """
    return np.where(np.isnan(size), 1.0, size / (size + typical))


class Merged(NamedTuple):
    """Weights by book (L, B), the number of independent sources with a weight (L,), and the sum of the squares (L,)
    of the sources' weights.
    """

    weight: Array
    sources: NDArray[np.int64]
    squares: Array


def clones(sources: Sequence[Hashable]) -> Clones:
    """The groups among books (B,) of which a book and its clones name the same source."""
    columns: dict[Hashable, list[int]] = {}
    for column, source in enumerate(sources):
        columns.setdefault(source, []).append(column)
    return [np.array(group, np.intp) for group in columns.values() if len(group) > 1]


def merged(weights: Array, groups: Clones = ()) -> Merged:
    """Let the books of each group together weigh as much as the heaviest of them, each in proportion to its own.

    `weights` (L, B) >= 0; `groups` as from `clones`.
    """
    if groups:
        weights = weights.copy()
    for group in groups:
        own = weights[:, group]
        together, most = over_books(own), own.max(axis=1)
        weights[:, group] = own * np.divide(most, together, out=np.zeros_like(most), where=together > 0)[:, None]
    return Merged(weights, *source_squares(weights, groups))


def source_squares(weights: Array, groups: Clones = ()) -> tuple[NDArray[np.int64], Array]:
    """The number of independent sources with a weight (L,), and the sum of the squares (L,) of what they weigh, of
    books whose clones are `merged` (L, B).
    """
    sources, squares = np.count_nonzero(weights, axis=1), over_books(weights * weights)
    for group in groups:
        own = weights[:, group]
        together = over_books(own)
        sources -= np.maximum(np.count_nonzero(own, axis=1) - 1, 0)
        squares += together * together - over_books(own * own)
    return sources, squares


def over_books(terms: Array) -> Array:
    """Sum along the last axis, one after the other.

    So a line's last bit depends neither on the lines beside it nor on columns of books that have nothing to add:
    `np.sum` groups its terms by the array's shape.
    """
    if not terms.shape[-1]:
        return np.zeros(terms.shape[:-1])
    total: Array = np.add.accumulate(terms, axis=-1)[..., -1]
    return total
