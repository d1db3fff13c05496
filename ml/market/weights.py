"""Book weights: sharpness, freshness, liquidity, and clones merged.

A book's weight is the product of its sharpness (set by the user, 1 by default), `freshness_weight` and
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
"""Ages up to which a price has full and medium weight. Steps, not a curve: an estimate then changes only when a price
or a step changes and need not be recomputed all the time. A convention, like the weights."""
FRESHNESS_WEIGHTS = (1.0, 0.7, 0.4)


def freshness_weight(age_seconds: Array) -> Array:
    """The share of its weight that a price of this age keeps; same shape."""
    share: Array = np.array(FRESHNESS_WEIGHTS)[np.searchsorted(FRESHNESS_AGES_SECONDS, age_seconds)]
    return share


def liquidity_weight(size: Array, typical_size: float) -> Array:
    """The share of its weight that an exchange's price keeps: size / (size + typical_size), 1 where the size is
    unknown.

    `size` is what is available at the price, in the currency of `typical_size`; at `typical_size` the price counts
    half.
    """
    return np.where(np.isnan(size), 1.0, size / (size + typical_size))


class MergedWeights(NamedTuple):
    """Weights by book (L, B), the number (L,) of independent sources with weight, and the sum (L,) of their squared
    weights.
    """

    weight: Array
    sources: NDArray[np.int64]
    squares: Array


def group_clones(clone_group: Sequence[Hashable]) -> CloneGroups:
    """The groups of books that share a `clone_group` (B,)."""
    columns: dict[Hashable, list[int]] = {}
    for column, source in enumerate(clone_group):
        columns.setdefault(source, []).append(column)
    return [np.array(group, np.intp) for group in columns.values() if len(group) > 1]


def merge_clones(weights: Array, groups: CloneGroups = ()) -> MergedWeights:
    """Scale each group's weights so that together they equal the heaviest one.

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
    """The number (L,) of independent sources with weight and the sum (L,) of their squared weights, after
    `merge_clones`.
    """
    sources, squares = np.count_nonzero(weights, axis=1), sum_over_books(weights * weights)
    for group in groups:
        own = weights[:, group]
        together = sum_over_books(own)
        sources -= np.maximum(np.count_nonzero(own, axis=1) - 1, 0)
        squares += together * together - sum_over_books(own * own)
    return sources, squares


def sum_over_books(terms: Array) -> Array:
    """Sum along the last axis, term by term.

    `np.sum` groups its terms by the array's shape; here a line's last bit depends neither on other lines nor on the
    columns of books without a price.
    """
    if not terms.shape[-1]:
        return np.zeros(terms.shape[:-1])
    total: Array = np.add.accumulate(terms, axis=-1)[..., -1]
    return total
