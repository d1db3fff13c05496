"""Who moves first: for every pair of books, how often one followed the other and how late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LeadLag:
    """Decayed counts of large moves, books in the order of `books`.

    `moves` (B,) of each book; `first` (B, B) how often the column's book moved after, and the same way as, the
    row's; `together` (B, B) in the same poll; `lag` (B, B) mean seconds of `first`, NaN without any. Chance
    coincidences raise `first` in both directions alike: only the asymmetry is evidence.
    """

    books: tuple[int, ...]
    moves: Array
    first: Array
    together: Array
    lag: Array

    def lead(self) -> Array:
        """Share of a book's ordered pairs in which it was first (B,): 1 leads all, .5 neither, NaN no pairs."""
        ahead, behind = self.first.sum(axis=1), self.first.sum(axis=0)
        total = ahead + behind
        return _share(ahead, total)

    def followed(self) -> Array:
        """Share of the row's moves that the column's book followed, or made in the same poll (B, B)."""
        moves = np.broadcast_to(self.moves[:, None], self.first.shape)
        return _share(self.first + self.together, moves)

    def asymmetry(self) -> Array:
        """Standard score of row before column against column before row, under no order (B, B)."""
        total = self.first + self.first.T
        score: Array = (self.first - self.first.T) / np.sqrt(np.maximum(total, 1))
        return score


class LeadLagCounter:
    """Counts with a half-life in seconds; memory grows with the square of the books, and with nothing else."""

    def __init__(self, half_life: float) -> None:
        self._rate = np.log(2) / half_life / SECOND
        self._moves = np.zeros(0)
        self._first, self._together, self._late = (np.zeros((0, 0)) for _ in range(3))
        self._at = 0

    def count(self, now: int, columns: Index, earlier: NDArray[np.bool_], same: NDArray[np.bool_], ago: Array) -> None:
        """Take in large moves of the books `columns` (c,).

        `earlier` and `same` (c, B): which books made the same move before, or in this poll; `ago` (c, B): s.
        """
        self._grow(earlier.shape[1])
        decay = np.exp(-self._rate * (now - self._at)) if self._at else 1.0
        for counts in (self._moves, self._first, self._together, self._late):
            np.multiply(counts, decay, out=counts)
        self._at = now
        order = np.argsort(columns, kind="stable")
        # neither a matrix product, whose threads fight on a busy machine, nor `np.add.at`, six times as slow
        book, begins, moves = np.unique(columns[order], return_index=True, return_counts=True)
        self._moves[book] += moves
        for counts, made in (
            (self._first, earlier),
            (self._together, same),
            (self._late, np.where(earlier, ago, 0.0)),
        ):
            counts[:, book] += np.add.reduceat(made[order], begins, axis=0, dtype=np.float64).T

    def result(self, books: tuple[int, ...]) -> LeadLag:
        """The counts as of the last large move."""
        self._grow(len(books))
        lag = _share(self._late, self._first)
        return LeadLag(books, self._moves.copy(), self._first.copy(), self._together.copy(), lag)

    def _grow(self, books: int) -> None:
        more = books - len(self._moves)
        if more > 0:
            self._moves = np.pad(self._moves, (0, more))
            self._first, self._together, self._late = (
                np.pad(a, (0, more)) for a in (self._first, self._together, self._late)
            )


def _share(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share
