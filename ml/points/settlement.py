"""Settlement of a bet on a point, given the distribution of the margin or the total.

Bets are described by the *threshold* that the number X must exceed: a total's point, or the home side's point with its
sign reversed (home -2.5 wins if the margin exceeds 2.5). A whole threshold pushes on itself. A quarter (Asian) line is
two half stakes, on the half point and the adjacent whole one; any other fraction never pushes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUARTER_POINT = 0.25


class WinPushLoss(NamedTuple):
    """Expected shares of the stake that win, come back and are lost; they sum to one.

    For whole and half points these are probabilities. Arrays of one shape.
    """

    win: Array
    push: Array
    loss: Array

    def other_side(self) -> WinPushLoss:
        """The same for the opposite bet: under, or the away side."""
        return WinPushLoss(self.loss, self.push, self.win)

    def win_given_decided(self) -> Array:
        """Win share of the decided stake, win / (win + loss), as implied by a two-way price without margin.

        A fair price o has win (o - 1) = loss, so this is 1 / o, and both sides' sum to one.
        """
        return self.win / (self.win + self.loss)

    def fair_price(self) -> Array:
        """The decimal price with expected value zero."""
        return 1 + self.loss / self.win

    def expected_value(self, price: Array) -> Array:
        """Expected profit of a stake of one at the decimal `price`, pushes returned."""
        return self.win * (price - 1) - self.loss


def win_push_loss(pmf: Array, low: int, thresholds: Array) -> WinPushLoss:
    """Sums of `pmf` (..., L, K), of the numbers `low`, `low` + 1..., above, at and below `thresholds` (L, B).

    Linear in `pmf`, so that derivatives of probabilities give derivatives of the sums. NaN where a threshold is NaN or
    outside the support. Returns arrays (..., L, B).
    """
    quarter = np.mod(thresholds * 4, 2) == 1
    if not quarter.any():
        return _unsplit_win_push_loss(pmf, low, thresholds)
    shift = np.where(quarter, QUARTER_POINT, 0.0)
    both = zip(
        _unsplit_win_push_loss(pmf, low, thresholds - shift),
        _unsplit_win_push_loss(pmf, low, thresholds + shift),
        strict=True,
    )
    return WinPushLoss(*((a + b) / 2 for a, b in both))


def _unsplit_win_push_loss(pmf: Array, low: int, thresholds: Array) -> WinPushLoss:
    size = pmf.shape[-1]
    inside = (thresholds >= low - 1) & (thresholds < low + size)
    below = np.where(inside, np.ceil(thresholds), low).astype(np.intp) - low
    above = np.where(inside, np.floor(thresholds) + 1, low).astype(np.intp) - low
    zero = np.zeros((*pmf.shape[:-1], 1))
    # each tail is summed from its own end, so that a small one keeps its digits
    rising = np.concatenate([zero, pmf.cumsum(axis=-1)], axis=-1)
    falling = np.concatenate([pmf[..., ::-1].cumsum(axis=-1)[..., ::-1], zero], axis=-1)
    on = np.concatenate([pmf, zero], axis=-1)
    win, loss = _take_at(falling, np.maximum(above, 0)), _take_at(rising, np.maximum(below, 0))
    push = np.where((below < above) & (below >= 0), _take_at(on, np.maximum(below, 0)), 0.0)
    return WinPushLoss(*(np.where(inside, share, np.nan) for share in (win, push, loss)))


def _take_at(values: Array, index: NDArray[np.intp]) -> Array:
    wide = np.broadcast_to(index, (*values.shape[:-2], *index.shape))
    return np.take_along_axis(values, wide, axis=-1)
