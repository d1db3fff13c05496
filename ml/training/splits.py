"""Walk-forward splits by event time, purged and embargoed.

What is learned from must have been known when the first price of what it is tested on was decided on: lines whose close
or result was known later are purged, and so are those within an embargo before it, because neighbouring games share
news (Lopez de Prado 2018, ch. 7).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import MICROS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ml.training.dataset import TrainingSet

    Mask = NDArray[np.bool_]

EMBARGO_MICROS = 3 * MICROS_PER_DAY


class Split(NamedTuple):
    """Masks (N,) of the lines to learn from and of those to test on."""

    train: Mask
    test: Mask


def split_at(lines: TrainingSet, start: int, end: int | None = None) -> Split:
    """Test on starts in [`start`, `end`), learn from what was known an embargo before the first decision on these."""
    test = (lines.start >= start) & (lines.start < (np.iinfo(np.int64).max if end is None else end))
    first = int(lines.decided_at[test].min(initial=start))
    settled = np.maximum(lines.start, np.where(lines.known_at == np.iinfo(np.int64).max, lines.start, lines.known_at))
    return Split((lines.start < start) & (settled < min(first, start) - EMBARGO_MICROS), test)


def walk_forward(lines: TrainingSet, folds: int) -> Iterator[Split]:
    """`folds` consecutive periods of equally many lines at the end, each tested on what was known before it.

    The first half is never tested on.
    """
    edges = np.quantile(lines.start, np.linspace(0.5, 1, folds + 1)).astype(np.int64)
    edges[-1] += 1
    for start, end in pairwise(edges.tolist()):
        yield split_at(lines, start, end)
