"""How much each book's opinion counts: sharpness, freshness, what stands behind the price, and clones merged.

A book's weight is the product of its sharpness (a number of the user's, 1 by default), `freshness_weight` and
`liquidity_weight`; `merge_clones` then lets books that copy each other count as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CloneGroups: TypeAlias = "Sequence[NDArray[np.intp]]"
"""Groups of books that copy each other, by their columns."""

FRESHNESS_AGES_SECONDS = (60.0, 300.0)
"""Seconds up to which a price counts fully, and well. Steps, not a curve: an estimate then changes only when a price or
a step does, and need not be worked out again at every moment. A convention, as are the shares."""
FRESHNESS_WEIGHTS = (1.0, 0.7, 0.4)


def freshness_weight(age_seconds: Array) -> Array:
    """The share of its weight that a price of this age keeps; same shape."""
    share: Array = np.array(FRESHNESS_WEIGHTS)[np.searchsorted(FRESHNESS_AGES_SECONDS, age_seconds)]
    return share


def liquidity_weight(size: Array, typical_size: float) -> Array:
    """The share of its weight that an exchange's price keeps: size / (size + typical), 1 where the size is unknown.

    `size` is what can be had at the price, in the currency of `typical_size`, a usual size; at that, the price counts
    half.
    """
    return np.where(np.isnan(size), 1.0, size / (size + typical_size))


class MergedWeights(NamedTuple):
    """Weights by book (L, B), the number of independent sources with a weight (L,), and the sum of the squares (L,)
    of the sources' weights.
    """

    weight: Array
    sources: NDArray[np.int64]
    squares: Array


def group_clones(clone_group: Sequence[Hashable]) -> CloneGroups:
    """The groups among books (B,) of which a book and its clones name the same source."""
    columns: dict[Hashable, list[int]] = {}
    for column, source in enumerate(clone_group):
        columns.setdefault(source, []).append(column)
    return [np.array(group, np.intp) for group in columns.values() if len(group) > 1]


def merge_clones(weights: Array, groups: CloneGroups = ()) -> MergedWeights:
    """Let the books of each group together weigh as much as the heaviest of them, each in proportion to its own.

    `weights` (L, B) >= 0; `groups` as from `group_clones`.
    """
    if groups:
        weights = weights.copy()
    for group in groups:
        own = weights[:, group]
        together, most = sum_over_books(own), own.max(axis=1)
        weights[:, group] = own * np.divide(most, together, out=np.zeros_like(most), where=together > 0)[:, None]
    return MergedWeights(weights, *source_count_and_squares(weights, groups))


def source_count_and_squares(weights: Array, groups: CloneGroups = ()) -> tuple[NDArray[np.int64], Array]:
    """The number of independent sources with a weight (L,), and the sum of the squares (L,) of what they weigh, of
    books whose clones are `merge_clones` (L, B).
    """
    sources, squares = np.count_nonzero(weights, axis=1), sum_over_books(weights * weights)
    for group in groups:
        own = weights[:, group]
        together = sum_over_books(own)
        sources -= np.maximum(np.count_nonzero(own, axis=1) - 1, 0)
        squares += together * together - sum_over_books(own * own)
    return sources, squares


def sum_over_books(terms: Array) -> Array:
    """Sum along the last axis, one after the other.

    So a line's last bit depends neither on the lines beside it nor on columns of books that have nothing to add:
    `np.sum` groups its terms by the array's shape.
    """
    if not terms.shape[-1]:
        return np.zeros(terms.shape[:-1])
    total: Array = np.add.accumulate(terms, axis=-1)[..., -1]
    return total
