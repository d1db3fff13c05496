"""The formulas that take a bookmaker's margin out of a market's prices.

Each takes implied probabilities q = 1 / price as columns (n, m): n >= 2 outcomes that exhaust what can
happen, m markets, every q in (0, 1). Each returns the fair probabilities p (n, m) and which markets were
solved (m,). B = sum of q is the booksum, B - 1 the overround.

A market's result does not depend, to the last bit, on the markets beside it: sums run outcome by outcome
(`np.sum` groups its terms by the shape of the whole array), and an iteration leaves a market alone once it
has converged.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Solved = tuple[Array, NDArray[np.bool_]]

MAX_ITERATIONS = 64
RESIDUAL = 1e-12
"""Newton squares this with its last step, and rounding keeps a residual some 1e-15 away from zero."""


def booksum(columns: Array) -> Array:
    """Sum over outcomes (m,), added in the order of the outcomes."""
    total: Array = reduce(np.add, columns)
    return total


def multiplicative(implied: Array) -> Solved:
    """p = q / B: every price carries the same share of margin. Defined for every B."""
    return implied / booksum(implied), _everywhere(implied)


def additive(implied: Array) -> Solved:
    """p = q - (B - 1) / n: the same margin on every outcome, so in proportion to its odds (Buchdahl).

    Defined for every B. With three outcomes or more and B > 1 a longshot's p can fall below zero; with two it
    cannot, as p = (1 +- (q1 - q2)) / 2.
    """
    return implied - (booksum(implied) - 1) / len(implied), _everywhere(implied)


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
    # rounding leaves some fair books just below 1; what is further below is scaled too, for `devig` to refuse
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


def _newton(step: Callable[[Array, Array], tuple[Array, Array]], columns: Array, start: Array) -> Solved:
    """Iterate `step(columns (n, a), x (a,)) -> (next x, residual at x)` of the a markets not solved yet."""
    x, solved = start.copy(), _everywhere(columns)
    active = np.arange(len(start))
    for _ in range(MAX_ITERATIONS):
        moved, residual = step(columns, start)
        x[active] = moved
        going = ~(np.abs(residual) <= RESIDUAL)
        if not going.any():
            return x, solved
        active, columns, start = active[going], columns[:, going], moved[going]
    solved[active] = False
    return x, solved


def _everywhere(implied: Array) -> NDArray[np.bool_]:
    return np.ones(implied.shape[1], np.bool_)
