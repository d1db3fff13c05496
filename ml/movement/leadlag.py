"""Lead and lag: for every pair of books, how often one followed the other and how late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class LeadLag:
    """Decayed counts of large moves, books in the order of `books`.

    `moves` (B,) of each book; `led` (B, B) how often the column's book moved after, and the same way as, the row's;
    `together` (B, B) in the same poll; `lag_seconds` (B, B) the mean delay of `led`, NaN without any. Coincidences
    raise `led` equally in both directions: only the asymmetry is evidence.
    """

    books: tuple[int, ...]
    moves: Array
    led: Array
    together: Array
    lag_seconds: Array

    def lead_share(self) -> Array:
        """Share of a book's ordered pairs in which it was first (B,): 1 leads all, .5 neither, NaN no pairs."""
        ahead, behind = self.led.sum(axis=1), self.led.sum(axis=0)
        total = ahead + behind
        return _share(ahead, total)

    def followed_share(self) -> Array:
        """Share of the row's moves that the column's book followed, or made in the same poll (B, B)."""
        moves = np.broadcast_to(self.moves[:, None], self.led.shape)
        return _share(self.led + self.together, moves)

    def asymmetry(self) -> Array:
        """Standard score of row before column against column before row, under no order (B, B)."""
        total = self.led + self.led.T
        score: Array = (self.led - self.led.T) / np.sqrt(np.maximum(total, 1))
        return score


class LeadLagCounter:
    """Counts with a half-life in seconds; memory grows only with the square of the number of books."""

    def __init__(self, half_life_seconds: float) -> None:
        self._decay_rate = np.log(2) / half_life_seconds / MICROS_PER_SECOND
        self._moves = np.zeros(0)
        self._led, self._together, self._lag_sum = (np.zeros((0, 0)) for _ in range(3))
        self._updated_at = 0

    def count(
        self, now: int, columns: Index, earlier: NDArray[np.bool_], simultaneous: NDArray[np.bool_], seconds_ago: Array
    ) -> None:
        """Count large moves of the books `columns` (c,).

        `earlier` and `simultaneous` (c, B): which books made the same move before, or in this poll; `seconds_ago` (c,
        B).
        """
        self._grow(earlier.shape[1])
        decay = np.exp(-self._decay_rate * (now - self._updated_at)) if self._updated_at else 1.0
        for counts in (self._moves, self._led, self._together, self._lag_sum):
            np.multiply(counts, decay, out=counts)
        self._updated_at = now
        order = np.argsort(columns, kind="stable")
        # not a matrix product, whose threads compete on a busy machine, nor the slower `np.add.at`
        book, begins, moves = np.unique(columns[order], return_index=True, return_counts=True)
        self._moves[book] += moves
        for counts, made in (
            (self._led, earlier),
            (self._together, simultaneous),
            (self._lag_sum, np.where(earlier, seconds_ago, 0.0)),
        ):
            counts[:, book] += np.add.reduceat(made[order], begins, axis=0, dtype=np.float64).T

    def result(self, books: tuple[int, ...]) -> LeadLag:
        """The counts as of the last large move."""
        self._grow(len(books))
        lag = _share(self._lag_sum, self._led)
        return LeadLag(books, self._moves.copy(), self._led.copy(), self._together.copy(), lag)

    def _grow(self, books: int) -> None:
        more = books - len(self._moves)
        if more > 0:
            self._moves = np.pad(self._moves, (0, more))
            self._led, self._together, self._lag_sum = (
                np.pad(a, (0, more)) for a in (self._led, self._together, self._lag_sum)
            )


def _share(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share
