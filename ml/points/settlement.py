"""How a bet on a point settles, given the distribution of the margin or the total.

Everything is told as the *threshold* that the number X must exceed: a total's point, or the home side's point
with its sign turned (home -2.5 wins if the margin exceeds 2.5). A whole threshold pushes on itself. A quarter
(Asian) is two half stakes, on the half point and the whole one beside it; any other fraction never pushes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUARTER = 0.25


class Chances(NamedTuple):
    """Expected shares of the stake that win, come back and are lost; they sum to one.

    For whole and half points these are probabilities. Arrays of one shape.
    """

    win: Array
    push: Array
    loss: Array

    def other_side(self) -> Chances:
        """The same for the bet against: under, or the away side."""
        return Chances(self.loss, self.push, self.win)

    def conditional(self) -> Array:
        """Win share of what is decided, win / (win + loss): what a two-way price without margin says.

        A fair price o pays win (o - 1) = loss, so 1 / o is this, and both sides' sum to one.
        """
        return self.win / (self.win + self.loss)

    def fair_price(self) -> Array:
        """The decimal price at which the bet is worth nothing."""
        return 1 + self.loss / self.win

    def expected_value(self, price: Array) -> Array:
        """Expected profit of a stake of one at the decimal `price`, pushes returned."""
        return self.win * (price - 1) - self.loss


def settle(cells: Array, low: int, thresholds: Array) -> Chances:
    """Sums of `cells` (..., L, K), of the numbers `low`, `low` + 1..., above, at and below `thresholds` (L, B).

    Linear in the cells, so that derivatives of probabilities give derivatives of chances. NaN where a threshold
    is NaN or outside the numbers. Returns arrays (..., L, B).
    """
    quarter = np.mod(thresholds * 4, 2) == 1
    if not quarter.any():
        return _whole(cells, low, thresholds)
    shift = np.where(quarter, QUARTER, 0.0)
    both = zip(_whole(cells, low, thresholds - shift), _whole(cells, low, thresholds + shift), strict=True)
    return Chances(*((a + b) / 2 for a, b in both))


def _whole(cells: Array, low: int, thresholds: Array) -> Chances:
    size = cells.shape[-1]
    inside = (thresholds >= low - 1) & (thresholds < low + size)
    below = np.where(inside, np.ceil(thresholds), low).astype(np.intp) - low
    above = np.where(inside, np.floor(thresholds) + 1, low).astype(np.intp) - low
    zero = np.zeros((*cells.shape[:-1], 1))
    # each tail from its own end: the small one keeps its digits
    rising = np.concatenate([zero, cells.cumsum(axis=-1)], axis=-1)
    falling = np.concatenate([cells[..., ::-1].cumsum(axis=-1)[..., ::-1], zero], axis=-1)
    on = np.concatenate([cells, zero], axis=-1)
    win, loss = _at(falling, np.maximum(above, 0)), _at(rising, np.maximum(below, 0))
    push = np.where((below < above) & (below >= 0), _at(on, np.maximum(below, 0)), 0.0)
    return Chances(*(np.where(inside, share, np.nan) for share in (win, push, loss)))


def _at(values: Array, index: NDArray[np.intp]) -> Array:
    wide = np.broadcast_to(index, (*values.shape[:-2], *index.shape))
    return np.take_along_axis(values, wide, axis=-1)
