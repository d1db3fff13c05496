"""The formulas that remove a bookmaker's margin from a market's prices.

Each takes implied probabilities q = 1 / price as columns (n, m): n >= 2 outcomes that exhaust what can
happen, m markets, every q in (0, 1). Each returns the fair probabilities p (n, m) and which markets were
solved (m,). B = sum of q is the booksum, B - 1 the overround.

A market's result does not depend, to the last bit, on the other markets in the array: sums run outcome by outcome
(`np.sum` groups its terms by the shape of the whole array), and an iteration leaves a market alone once it has
converged.
"""

from __future__ import annotations

from math import sqrt, tau
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Solved = tuple[Array, NDArray[np.bool_]]

MAX_ITERATIONS = 64
SQRT_TAU = sqrt(tau)
RESIDUAL_TOLERANCE = 1e-12
"""Newton's last step squares the residual; rounding keeps it around 1e-15."""


def booksum(columns: Array | Sequence[Array]) -> Array:
    """Sum over outcomes (m,), added in the order of the outcomes."""
    total: Array = columns[0]
    for i in range(1, len(columns)):  # faster than `reduce`, which iterates over the array
        total = total + columns[i]
    return total


def multiplicative(implied: Array) -> Solved:
    """p = q / B: every price carries the same share of margin. Defined for every B."""
    return implied / booksum(implied), _all_solved(implied)


def additive(implied: Array) -> Solved:
    """p = q - (B - 1) / n: the same margin on every outcome, so proportional to its odds (Buchdahl).

    Defined for every B. With three or more outcomes and B > 1 a longshot's p can fall below zero; with two it cannot,
    because p = (1 +- (q1 - q2)) / 2.
    """
    return implied - (booksum(implied) - 1) / len(implied), _all_solved(implied)


def power(implied: Array) -> Solved:
    """p = q ** k, with the k that makes them sum to one.

    Vovk & Zhdanov 2009; Clarke, Kovalchik & Ingram 2017. Defined for every B: k > 1 for B > 1, 0 < k < 1 for
    B < 1. Newton on log(sum q ** k) = 0, which is convex and decreasing in k: it rises to the root from the
    left, after one step to the left if B < 1.
    """
    logs = np.log(implied)

    def step(columns: Array, k: Array) -> tuple[Array, Array]:
        raised = np.exp(k * columns)
        total = booksum(raised)
        residual = np.log(total)
        return k - residual * total / booksum(raised * columns), residual

    total = booksum(implied)
    first = 1 - np.log(total) * total / booksum(implied * logs)  # the step from k = 1 needs no power
    k, solved = _newton(step, logs, first)
    raised = np.exp(k * logs)
    return raised / booksum(raised), solved


def shin(implied: Array) -> Solved:
    """p = (sqrt(z^2 + 4 (1 - z) s) - z) / (2 (1 - z)), s = q^2 / B, with the z that makes them sum to one.

    z is the share of insiders: Shin 1993, solved for p by Jullien & Salanie 1994. For two outcomes it is the
    additive method (Clarke, Kovalchik & Ingram 2017). Defined for B >= 1: below, only a negative share of
    insiders would sum them to one.

    sum p = 1 is g(z) = sum sqrt(z^2 + 4 (1 - z) s) - 2 - (n - 2) z = 0. g is convex, g(0) = 2 (sqrt(B) - 1)
    >= 0 and g(1) = 0 is a false root, at which g rises; so [0, 1) holds one root and Newton rises to it from
    z = 0. Then p = 2 s / (sqrt(...) + z), the same without cancellation.
    """
    n = len(implied)
    if n == 2:  # noqa: PLR2004 - the closed form
        return additive(implied)
    total = booksum(implied)
    # rounding leaves some fair books just below 1; books further below are scaled too, and `devig` rejects them
    implied, total = implied / np.minimum(total, 1), np.maximum(total, 1)
    share = implied**2 / total

    def step(columns: Array, z: Array) -> tuple[Array, Array]:
        root = np.sqrt(z * z + 4 * (1 - z) * columns)
        residual = booksum(root) - 2 - (n - 2) * z
        return z - residual / (booksum((z - 2 * columns) / root) - (n - 2)), residual

    first = 2 * (np.sqrt(total) - 1) / (np.sqrt(total) + n - 2)  # the step from z = 0 needs no roots
    z, solved = _newton(step, share, first)
    fair = 2 * share / (np.sqrt(z * z + 4 * (1 - z) * share) + z)
    return fair / booksum(fair), solved


def odds_ratio(implied: Array) -> Solved:
    """p = q / (q + c (1 - q)), with the c that makes them sum to one: every outcome's odds, divided by c.

    Cheung, in Buchdahl 2015, "The wisdom of the crowd". The same as a shift of all log-odds, which
    `penaltyblog` calls logarithmic. Defined for every B: c > 1 for B > 1, 0 < c < 1 for B < 1. For two
    outcomes c^2 is the product of the odds q / (1 - q). Else Newton on sum p = 1, which is convex and
    decreasing in c > 0: it rises to the root from the left, after one step to the left if B < 1.
    """
    against = 1 - implied
    if len(implied) == 2:  # noqa: PLR2004 - the closed form
        c = np.sqrt(implied[0] / against[0]) * np.sqrt(implied[1] / against[1])
        fair = implied / (implied + c * against)
        return fair / booksum(fair), _all_solved(implied)

    def step(columns: Array, c: Array) -> tuple[Array, Array]:
        fair = columns / (columns + c * (1 - columns))
        residual = booksum(fair) - 1
        # d p / d c = -p^2 (1 - q) / q
        return c + residual / booksum(fair * fair * (1 / columns - 1)), residual

    first = np.maximum(1 + (booksum(implied) - 1) / booksum(implied * against), 0)
    c, solved = _newton(step, implied, first)
    fair = implied / (implied + c * against)
    return fair / booksum(fair), solved


def probit(implied: Array) -> Solved:
    """p = Phi(Phi^-1(q) - d), with the d that makes them sum to one: normal quantiles, shifted by the same d.

    The odds-ratio method with normal instead of logistic quantiles. Defined for every B: d > 0 for B > 1,
    d < 0 for B < 1. For two outcomes d is the mean of the quantiles. Else Newton on sum p = 1, which falls in
    d, with the middle of the bracket wherever a step would leave it. Of the bracket's ends one gives every
    outcome 1 / n or more, the other 1 / n or less.
    """
    quantiles = ndtri(implied)
    if len(implied) == 2:  # noqa: PLR2004 - the closed form
        fair = ndtr(quantiles - booksum(quantiles) / 2)
        return fair / booksum(fair), _all_solved(implied)

    def step(columns: Array, state: Array) -> tuple[Array, Array]:
        d, low, high = state
        shifted = columns - d
        residual = booksum(ndtr(shifted)) - 1
        low, high = np.where(residual > 0, d, low), np.where(residual > 0, high, d)
        moved = d + residual * SQRT_TAU / booksum(np.exp(-shifted * shifted / 2))
        inside = (low <= moved) & (moved <= high)
        return np.stack([np.where(inside, moved, (low + high) / 2), low, high]), residual

    even = ndtri(1 / len(implied))
    low, high = quantiles.min(axis=0) - even, quantiles.max(axis=0) - even
    state, solved = _newton(step, quantiles, np.stack([np.clip(0, low, high), low, high]))
    fair = ndtr(quantiles - state[0])
    return fair / booksum(fair), solved


def equal_standard_errors(implied: Array) -> Solved:
    """p = q - (B - 1) s / sum s, s = sqrt(1 - q): every price is too high by the same number of standard errors.

    The standard error is that of q relative to its own root, sqrt(q (1 - q) / q): `goto-conversion`, Goto
    2023. Defined for every B; with B > 1 a longshot's p can fall below zero.
    """
    error = np.sqrt(1 - implied)
    return implied - (booksum(implied) - 1) / booksum(error) * error, _all_solved(implied)


def _newton(step: Callable[[Array, Array], tuple[Array, Array]], columns: Array, start: Array) -> Solved:
    """Iterate `step(columns (n, a), x (..., a)) -> (next x, residual at x (a,))` of the a markets not solved yet."""
    x, solved = start.copy(), _all_solved(columns)
    active = np.arange(columns.shape[1])
    for _ in range(MAX_ITERATIONS):
        moved, residual = step(columns, start)
        x.T[active] = moved.T
        [going] = (~(np.abs(residual) <= RESIDUAL_TOLERANCE)).nonzero()
        if not going.size:
            return x, solved
        if going.size < active.size:
            active, columns, moved = active[going], columns.take(going, axis=1), moved.take(going, axis=-1)
        start = moved
    solved[active] = False
    return x, solved


def _all_solved(implied: Array) -> NDArray[np.bool_]:
    return np.ones(implied.shape[1], np.bool_)
