"""Joint outcomes of events, and the expected log growth of stakes spread over them.

The bets of one event settle together: an `EventOutcomes` lists its joint outcomes. Events are independent. With W the
wealth after all bets, in bankrolls, Frullani's integral gives E log W without listing the outcomes of all
events together:

    E log W = integral over t > 0 of (exp(-t) - E exp(-t W)) / t,
    E exp(-t W) = exp(-t) x product over events of E exp(-t X), X = profit of an event

In log t it falls off exponentially to the left and doubly exponentially to the right, so the trapezoidal
rule converges geometrically (Trefethen & Weideman 2014, SIAM Review 56:385). Its weights are positive: the
sum is as concave in the stakes as E log W is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import block_diag, csr_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOG_T_STEP = 0.25
"""In log t; the rule errs by about exp(-pi^2 / STEP), less than rounding does."""
MIN_LOG_T, MAX_LOG_T = -36.0, 3.75
"""Beyond these, log t and log t W, the integrand is lost in rounding: t x profit, and exp(-t W)."""
ROUNDING_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class EventOutcomes:
    """Joint outcomes of one event and what its J bets return in each.

    `probability` (S,) sums to one; `profit` (S, J) per unit staked: price - 1 won, -1 lost, 0 pushed, half of these
    where a quarter line splits. Raises `ValueError` for shapes that disagree, invalid probabilities, and a loss above
    the stake.
    """

    probability: Array
    profit: Array

    def __post_init__(self) -> None:
        if self.profit.ndim != 2 or self.probability.shape != self.profit.shape[:1]:  # noqa: PLR2004 - a matrix
            msg = f"shapes disagree: probabilities {self.probability.shape}, profits {self.profit.shape}"
            raise ValueError(msg)
        if not ((self.probability >= 0).all() and abs(self.probability.sum() - 1) <= ROUNDING_TOLERANCE):
            msg = "outcome probabilities must be non-negative and sum to one"
            raise ValueError(msg)
        if not (np.isfinite(self.profit) & (self.profit >= -1)).all():
            msg = "profits must be finite and at least -1"
            raise ValueError(msg)


def exclusive_bets(probability: Array, price: Array) -> EventOutcomes:
    """One bet on each of n outcomes of which at most one wins; with the remaining probability all of them lose."""
    rest = max(0.0, 1.0 - float(probability.sum()))
    return EventOutcomes(np.append(probability, rest), np.vstack([np.diag(price), np.zeros_like(price)]) - 1.0)


def single_bet(win: float, push: float, price: float) -> EventOutcomes:
    """One bet that may push."""
    return EventOutcomes(np.array([win, push, 1.0 - win - push]), np.array([[price - 1.0], [0.0], [-1.0]]))


def correlated_bets(win: Array, price: Array, correlation: float) -> EventOutcomes:
    """Two bets (2,) that win with `win` and whose wins have this (phi) correlation.

    Both win with p q + correlation x sqrt(p (1-p) q (1-q)). Raises `ValueError` where no joint distribution
    has these margins and this correlation (Frechet's bounds).
    """
    first, second = map(float, win)
    both = first * second + correlation * float(np.sqrt(np.prod(win * (1 - win))))
    joint = np.array([both, first - both, second - both, 1 - first - second + both])
    if (joint < -ROUNDING_TOLERANCE).any():
        msg = f"win probabilities {first} and {second} do not admit correlation {correlation}"
        raise ValueError(msg)
    won = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    return EventOutcomes(np.maximum(joint, 0.0), won * price - 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _ExponentialTilt:
    """Nodes `t` (T,), `log_mgf` (T,) = log E exp(-t x profit) of all bets, tilted `probabilities` (T, N)."""

    t: Array
    log_mgf: Array
    probabilities: Array

    @property
    def weight(self) -> Array:
        """Weight of each node in the integral of a derivative."""
        return LOG_T_STEP * self.t * np.exp(self.log_mgf - self.t)


class GrowthObjective:
    """Expected log growth of all bets of independent events; bets are numbered in the order of the events."""

    def __init__(self, events: Sequence[EventOutcomes]) -> None:
        possible = [event.probability > 0 for event in events]
        sizes = [int(rows.sum()) for rows in possible]
        self.bet_count = sum(event.profit.shape[1] for event in events)
        self._probability = np.concatenate([e.probability[rows] for e, rows in zip(events, possible, strict=True)])
        # sparse arrays: with dense ones SciPy 1.18 warns that it will return another type
        profit = [csr_array(event.profit[rows]) for event, rows in zip(events, possible, strict=True)]
        self._profit: csr_array[Any, tuple[int, int]] = csr_array(block_diag(profit))
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._event = np.repeat(np.arange(len(sizes)), sizes)
        owner = np.repeat(np.arange(len(sizes)), [event.profit.shape[1] for event in events])
        self._same_event = owner[:, None] == owner

    def growth(self, stakes: Array) -> float:
        """Expected log growth, natural, of `stakes` (J,) in bankrolls; minus infinity where they can ruin."""
        tilt = self._tilt(stakes)
        if tilt is None:
            return -np.inf
        small = np.exp(-tilt.t) * np.expm1(np.minimum(tilt.log_mgf, 1.0))  # exact where the two terms nearly agree
        lost = np.where(tilt.log_mgf < 1, small, np.exp(tilt.log_mgf - tilt.t) - np.exp(-tilt.t))
        return float(-LOG_T_STEP * lost.sum())

    def gradient(self, stakes: Array) -> Array:
        """Gradient (J,) of the growth: the integral of E_t[profit], E_t the expectation tilted by exp(-t W).

        Raises `ValueError` where the stakes can lose the whole bankroll.
        """
        tilt = self._tilt_or_raise(stakes)
        return np.asarray(self._profit.T @ (tilt.weight @ tilt.probabilities))

    def hessian(self, stakes: Array) -> Array:
        """Hessian (J, J) of the growth: minus the integral of t E_t[profit profit'].

        The expectation is the product of means for two bets of different events. Raises as `gradient` does.
        """
        tilt = self._tilt_or_raise(stakes)
        weight = tilt.weight * tilt.t
        means = tilt.probabilities @ self._profit
        own = (self._profit.T * (weight @ tilt.probabilities)) @ self._profit
        return -np.where(self._same_event, own.toarray(), means.T @ (means * weight[:, None]))

    def _tilt_or_raise(self, stakes: Array) -> _ExponentialTilt:
        tilt = self._tilt(stakes)
        if tilt is None:
            msg = "stakes can lose the whole bankroll"
            raise ValueError(msg)
        return tilt

    def _tilt(self, stakes: Array) -> _ExponentialTilt | None:
        profit = self._profit @ stakes
        least = np.minimum.reduceat(profit, self._starts)
        worst = 1.0 + least.sum()
        if worst <= 0:
            return None
        t = np.exp(np.arange(MIN_LOG_T, MAX_LOG_T - np.log(worst), LOG_T_STEP))
        terms = self._probability * np.exp(-t[:, None] * (profit - least[self._event]))
        sums = np.add.reduceat(terms, self._starts, axis=1)
        return _ExponentialTilt(t, np.log(sums).sum(axis=1) - t * least.sum(), terms / sums[:, self._event])
