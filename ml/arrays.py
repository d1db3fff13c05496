"""Medians of many rows at once; `np.nanmedian` handles rows one by one and is several times slower."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]


def medians(values: Array) -> Array:
    """Median along the last axis (..., n), ignoring NaN; NaN where no value is left."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    return _median_of_sorted(np.sort(values, axis=-1), np.count_nonzero(~np.isnan(values), axis=-1)[..., None])[..., 0]


def medians_of_others(values: Array) -> Array:
    """Leaving a value out moves those behind it forward by one place, so each row is sorted once, not n times."""
    order = np.argsort(values, axis=1)
    known = ~np.isnan(values)
    rank = np.where(known, np.argsort(order, axis=1), values.shape[1])
    others = np.count_nonzero(known, axis=1)[:, None] - known
    return np.where(others > 0, _median_of_sorted(np.take_along_axis(values, order, axis=1), others, rank), np.nan)


def _median_of_sorted(ranked: Array, count: NDArray[np.intp], without: NDArray[np.intp] | None = None) -> Array:
    """Median of the first `count` (..., k) values of sorted rows (..., n), skipping the one at index `without` (...,
    k).
    """
    places = [np.maximum(count - 1, 0) // 2, count // 2]
    if without is not None:
        places = [place + (place >= without) for place in places]
    lower, upper = (np.take_along_axis(ranked, np.minimum(p, ranked.shape[-1] - 1), axis=-1) for p in places)
    middle: Array = (lower + upper) / 2
    return middle
