"""Games and quotes as arrays: what features, training sets and labels are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import Market

    Array = NDArray[np.float64]

BEST, AVERAGE = -1, -2
"""Aggregates in the place of a book, whose number is positive: the best and the average price of many books."""


@dataclass(frozen=True, slots=True, eq=False)
class Games:
    """Games (N,) in the order of their starts; times in microseconds.

    `score` (N, 2), home and away, NaN while unknown, is what was first known for certain, at `known_at`.
    """

    event: NDArray[np.int32]
    league: NDArray[np.int32]
    season: NDArray[np.int32]
    start: NDArray[np.int64]
    home: NDArray[np.int32]
    away: NDArray[np.int32]
    score: Array
    known_at: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Quotes:
    """Decimal prices (N, B, n) of one market by game, book and outcome, NaN where there is none.

    `price` at `point` was on offer at `decided_at` (N,), first seen there at `seen` (N, B) in seconds; `close` at
    `close_point` is the last before the start.
    """

    market: Market
    books: NDArray[np.int32]
    decided_at: NDArray[np.int64]
    price: Array
    point: Array
    seen: Array
    close: Array
    close_point: Array
