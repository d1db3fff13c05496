"""What is known of each book beside its prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import clones

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from numpy.typing import NDArray

    from ml.market import Clones


class Traits(NamedTuple):
    """How sharp a book is taken to be (its weight in the consensus), what it keeps of winnings, and whom it copies."""

    weight: float = 1.0
    commission: float = 0.0
    source: Hashable | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Columns (B,) `weight` and `commission`, and the groups of `clones`."""

    weight: NDArray[np.float64]
    commission: NDArray[np.float64]
    clones: Clones

    @classmethod
    def of(cls, ids: Iterable[int], traits_of: Callable[[int], Traits]) -> Books:
        """The columns of the books `ids`."""
        known = [(i, traits_of(i)) for i in ids]
        return cls(
            np.array([t.weight for _, t in known], np.float64),
            np.array([t.commission for _, t in known], np.float64),
            clones([i if t.source is None else t.source for i, t in known]),
        )
