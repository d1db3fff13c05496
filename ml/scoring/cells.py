"""Where in a block of prices something is the case."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Cells: TypeAlias = "tuple[NDArray[np.intp], ...]"
"""Outcome, line and book (M,) of some prices of a block (n, L, B)."""


def nonzero_cells(mask: NDArray[np.bool_]) -> Cells:
    """`mask.nonzero()`, which takes eight times as long where there are more dimensions than one."""
    [flat] = mask.reshape(-1).nonzero()
    return np.unravel_index(flat, mask.shape)
