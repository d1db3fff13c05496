"""Fair probabilities from a bookmaker's prices: the margin taken out, in one of several ways.

All methods take the outcomes of one market along the last axis; they must exhaust what can happen.
Notation: q = 1 / price (implied probability), B = sum of q (booksum, 1 + overround), p = fair probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TOLERANCE = 1e-14
MAX_ITERATIONS = 64


class DevigMethod(StrEnum):
    """How the margin is taken out."""

    MULTIPLICATIVE = "multiplicative"
    ADDITIVE = "additive"
    POWER = "power"
    SHIN = "shin"
    WORST_CASE = "worst_case"


PLAIN_METHODS = (DevigMethod.MULTIPLICATIVE, DevigMethod.ADDITIVE, DevigMethod.POWER, DevigMethod.SHIN)


class DevigStatus(IntEnum):
    """Why a row has, or has not, fair probabilities."""

    OK = 0
    INCOMPLETE = 1
    """A price is missing (NaN)."""
    INVALID_PRICE = 2
    """A price does not exceed 1, or is infinite."""
    UNDERROUND = 3
    """The booksum is below 1 (an exchange, an arbitrage), where Shin's model has no meaning."""
    OUT_OF_RANGE = 4
    """A probability fell outside (0, 1): additive, with longshots."""
    NOT_CONVERGED = 5
    """The iteration did not reach its tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Devigged:
    """`probabilities` (..., n), NaN wherever `status` (...,) is not OK."""

    probabilities: Array
    status: NDArray[np.int8]


def devig(prices: Array, method: DevigMethod = DevigMethod.POWER) -> Devigged:
    """Fair probabilities of decimal `prices` (..., n); a row's result is independent of the other rows.

    `WORST_CASE` gives each outcome the lowest of the four plain methods that are defined for the row: a
    deliberately low estimate, which does not sum to one.
    """
    rows = np.ascontiguousarray(prices, np.float64).reshape(-1, prices.shape[-1])
    status = _price_status(rows)
    implied = 1.0 / rows[status == DevigStatus.OK]
    probabilities = np.full(rows.shape, np.nan)
    if len(implied):
        fair, solved = _worst_case(implied) if method is DevigMethod.WORST_CASE else _plain(implied, method)
        probabilities[status == DevigStatus.OK] = np.where(solved[:, None] == DevigStatus.OK, fair, np.nan)
        status[status == DevigStatus.OK] = solved
    return Devigged(probabilities.reshape(prices.shape), status.reshape(prices.shape[:-1]))


def _price_status(prices: Array) -> NDArray[np.int8]:
    status = np.full(len(prices), DevigStatus.OK, np.int8)
    with np.errstate(invalid="ignore"):
        status[~((prices > 1) & np.isfinite(prices)).all(axis=1)] = DevigStatus.INVALID_PRICE
    status[np.isnan(prices).any(axis=1)] = DevigStatus.INCOMPLETE
    return status


def _plain(implied: Array, method: DevigMethod) -> tuple[Array, NDArray[np.int8]]:
    fair, solved = _METHODS[method](implied)
    status = np.where(solved, DevigStatus.OK, DevigStatus.NOT_CONVERGED).astype(np.int8)
    status[~((fair > 0) & (fair < 1)).all(axis=1) & solved] = DevigStatus.OUT_OF_RANGE
    if method is DevigMethod.SHIN:
        status[implied.sum(axis=1) < 1] = DevigStatus.UNDERROUND
    return fair, status


def _worst_case(implied: Array) -> tuple[Array, NDArray[np.int8]]:
    lowest = np.full(implied.shape, np.inf)
    for method in PLAIN_METHODS:
        fair, status = _plain(implied, method)
        lowest = np.where(status[:, None] == DevigStatus.OK, np.minimum(lowest, fair), lowest)
    return lowest, np.zeros(len(implied), np.int8)


def _multiplicative(implied: Array) -> tuple[Array, NDArray[np.bool_]]:
    """p = q / B: every price carries the same share of margin."""
    return implied / implied.sum(axis=1, keepdims=True), _all(implied)


def _additive(implied: Array) -> tuple[Array, NDArray[np.bool_]]:
    """p = q - (B - 1) / n: margin proportional to the price (Buchdahl); equals Shin for two outcomes."""
    n = implied.shape[1]
    return implied - (implied.sum(axis=1, keepdims=True) - 1) / n, _all(implied)


def _power(implied: Array) -> tuple[Array, NDArray[np.bool_]]:
    """p = q ** k with k such that they sum to one (Vovk & Zhdanov 2009; Clarke, Kovalchik & Ingram 2017).

    Newton on log sum q**k = 0, which is convex and decreasing in k: from k = 1 it converges monotonically
    after at most one overshoot. Shapes (m, n).
    """
    logs = np.log(implied)

    def step(some: NDArray[Any], k: Array) -> Array:
        raised = np.exp(k[:, None] * logs[some])
        total = raised.sum(axis=1)
        newton: Array = k - np.log(total) * total / (raised * logs[some]).sum(axis=1)
        return newton

    k, solved = _iterate(step, np.ones(len(implied)))
    fair = np.exp(k[:, None] * logs)
    return fair / fair.sum(axis=1, keepdims=True), solved


def _shin(implied: Array) -> tuple[Array, NDArray[np.bool_]]:
    """p = (sqrt(z^2 + 4 (1 - z) q^2 / B) - z) / (2 (1 - z)) with the insiders' share z that sums them to one.

    Shin 1993, as solved by Jullien & Salanie 1994. Newton on the sum in z, from z = 0; rows with B < 1 have no
    solution with z >= 0 and are marked by the caller.
    """
    booksum = implied.sum(axis=1)
    scaled = implied**2 / booksum[:, None]

    def step(some: NDArray[Any], z: Array) -> Array:
        s, z1 = scaled[some], z[:, None]
        root = np.sqrt(z1**2 + 4 * (1 - z1) * s)
        fair = (root - z1) / (2 * (1 - z1))
        slope = ((z1 - 2 * s) / root - 1) / (2 * (1 - z1)) + fair / (1 - z1)
        newton: Array = np.clip(z - (fair.sum(axis=1) - 1) / slope.sum(axis=1), 0.0, 0.999)
        return newton

    z, solved = _iterate(step, np.where(booksum < 1, 0.0, np.minimum(booksum - 1, 0.5) / 2), skip=booksum <= 1)
    z1 = z[:, None]
    fair = (np.sqrt(z1**2 + 4 * (1 - z1) * scaled) - z1) / (2 * (1 - z1))
    return fair / fair.sum(axis=1, keepdims=True), solved


def _iterate(
    step: Callable[[NDArray[Any], Array], Array], start: Array, skip: NDArray[np.bool_] | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Newton on all rows at once; a row leaves as soon as it has converged, untouched by the others."""
    x = start.copy()
    solved = np.zeros(len(x), np.bool_) if skip is None else skip.copy()
    active = np.flatnonzero(~solved)
    for _ in range(MAX_ITERATIONS):
        if not active.size:
            break
        moved = step(active, x[active])
        done = np.abs(moved - x[active]) <= TOLERANCE * np.maximum(1, np.abs(moved)) * 4
        x[active] = moved
        solved[active[done]] = True
        active = active[~done]
    return x, solved & np.isfinite(x)


def _all(implied: Array) -> NDArray[np.bool_]:
    return np.ones(len(implied), np.bool_)


_METHODS: dict[DevigMethod, Callable[[Array], tuple[Array, NDArray[np.bool_]]]] = {
    DevigMethod.MULTIPLICATIVE: _multiplicative,
    DevigMethod.ADDITIVE: _additive,
    DevigMethod.POWER: _power,
    DevigMethod.SHIN: _shin,
}
