"""Fair probabilities from a bookmaker's prices, with a status for every market.

The formulas are in `ml.market.methods`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ml.market import methods

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MIN_OUTCOMES = 2
MIN_FAIR_BOOKSUM = 1 - 1e-12
"""A fair book's 1/price may sum to one less a few units in the last place."""


class DevigMethod(StrEnum):
    """How the margin is removed."""

    MULTIPLICATIVE = "multiplicative"
    ADDITIVE = "additive"
    POWER = "power"
    SHIN = "shin"
    ODDS_RATIO = "odds_ratio"
    PROBIT = "probit"
    EQUAL_STANDARD_ERRORS = "equal_standard_errors"
    WORST_CASE = "worst_case"


PLAIN_METHODS = (DevigMethod.MULTIPLICATIVE, DevigMethod.ADDITIVE, DevigMethod.POWER, DevigMethod.SHIN)
"""The methods of which `WORST_CASE` takes the lowest."""

_FORMULAS = {
    DevigMethod.MULTIPLICATIVE: methods.multiplicative,
    DevigMethod.ADDITIVE: methods.additive,
    DevigMethod.POWER: methods.power,
    DevigMethod.SHIN: methods.shin,
    DevigMethod.ODDS_RATIO: methods.odds_ratio,
    DevigMethod.PROBIT: methods.probit,
    DevigMethod.EQUAL_STANDARD_ERRORS: methods.equal_standard_errors,
}
FORMULA_METHODS = tuple(_FORMULAS)
"""Every method with a formula of its own: all except `WORST_CASE`."""


class DevigStatus(IntEnum):
    """Why a market has, or has not, fair probabilities."""

    OK = 0
    INCOMPLETE = 1
    """A price is missing (NaN)."""
    INVALID_PRICE = 2
    """A price does not exceed 1, or is infinite."""
    UNDERROUND = 3
    """The booksum is below 1 (an exchange, an error), for which Shin's model, and only Shin's, is undefined."""
    OUT_OF_RANGE = 4
    """A probability fell outside (0, 1): additive and equal standard errors, on longshots."""
    NOT_CONVERGED = 5
    """The iteration did not reach its tolerance."""


STATUS_OK = int(DevigStatus.OK)
"""A plain int: NumPy is slow to compare an array with an enum member."""


@dataclass(frozen=True, slots=True, eq=False)
class DevigResult:
    """`probabilities` (..., n), NaN wherever `status` (...,), int8 of `DevigStatus`, is not OK."""

    probabilities: Array
    status: NDArray[np.int8]


def devig(prices: Array, method: DevigMethod = DevigMethod.POWER) -> DevigResult:
    """Fair probabilities of decimal `prices` (..., n), n outcomes that exhaust what can happen.

    Two-way and three-way markets differ in n, so they never share an array. A market's result does not depend on the
    others in the array. `WORST_CASE` is `worst_case` of the `PLAIN_METHODS`; for other combinations use
    `devig_by_method` with `worst_case` or `blend`.

    Raises `ValueError` for fewer than two outcomes.
    """
    if method is DevigMethod.WORST_CASE:
        return worst_case(devig_by_method(prices, PLAIN_METHODS).values())
    return devig_by_method(prices, (method,))[method]


def devig_by_method(prices: Array, chosen: Collection[DevigMethod]) -> dict[DevigMethod, DevigResult]:
    """`devig` by each of the `chosen` among the `FORMULA_METHODS`; the prices are checked once."""
    n = prices.shape[-1]
    if n < MIN_OUTCOMES:
        msg = f"a market needs at least two outcomes, got {n}"
        raise ValueError(msg)
    # outcomes first: a comparison or sum over them is then one pass over whole columns
    columns = prices.transpose(-1, *range(prices.ndim - 1)).reshape(n, -1).astype(np.float64, copy=False)
    status = _price_status(columns)
    [valid] = (status == STATUS_OK).nonzero()
    if len(valid) < len(status):
        columns = columns.take(valid, axis=1)
    implied = 1.0 / columns
    return {method: _scatter_result(prices.shape, status, valid, implied, method) for method in chosen}


def worst_case(estimates: Iterable[DevigResult]) -> DevigResult:
    """The lowest estimate of each outcome, over the methods that are defined for its market.

    A deliberately low estimate for the outcome to be backed. The outcomes of a market therefore sum to less than one:
    they are bounds, not a distribution, and must not be renormalised. `consensus` pools each plain method first and
    takes the lowest afterwards, so that disagreement between books does not lower it.
    """
    probabilities, status = zip(*((e.probabilities, e.status) for e in estimates), strict=True)
    # OK is the smallest status, and whether the prices are valid is the same for all methods
    return DevigResult(np.fmin.reduce(probabilities), np.minimum.reduce(status))


def blend(estimates: Mapping[DevigMethod, DevigResult], weights: Mapping[DevigMethod, float]) -> DevigResult:
    """The weighted arithmetic mean of several methods' estimates (the linear opinion pool, Stone 1961).

    A market for which one of the methods is not defined has no blend and gets that method's status: the mean of the
    others would be a different blend. Raises `ValueError` for weights that are negative, not finite or all 0.
    """
    share = np.array(list(weights.values()), np.float64)
    if not (np.isfinite(share).all() and (share >= 0).all() and share.any()):
        msg = f"method weights must be finite, non-negative and not all zero: {dict(weights)}"
        raise ValueError(msg)
    share /= share.sum()
    parts = [(w, estimates[method]) for method, w in zip(weights, share, strict=True) if w]
    probabilities = methods.booksum([w * part.probabilities for w, part in parts])
    return DevigResult(probabilities, np.maximum.reduce([part.status for _, part in parts]))


def _price_status(columns: Array) -> NDArray[np.int8]:
    """The status (m,) of prices (n, m) before any method."""
    status = np.zeros(columns.shape[1], np.int8)
    valid = (columns > 1) & np.isfinite(columns)
    if not valid.all():
        status[~valid.all(axis=0)] = DevigStatus.INVALID_PRICE
        status[np.isnan(columns).any(axis=0)] = DevigStatus.INCOMPLETE
    return status


def _scatter_result(
    shape: tuple[int, ...],
    status: NDArray[np.int8],
    valid: NDArray[np.intp],
    implied: Array,
    method: DevigMethod,
) -> DevigResult:
    """Results of one method for the valid markets, put back among the invalid ones."""
    fair, solved = _FORMULAS[method](implied)
    code = _result_status(fair, solved, implied, method)
    if code.any():
        fair[:, code != STATUS_OK] = np.nan
    if len(valid) < len(status):
        found, fair = fair, np.full((len(fair), len(status)), np.nan)
        fair[:, valid] = found
        status = status.copy()
        status[valid] = code
    else:
        status = code
    probabilities = fair.reshape(shape[-1], *shape[:-1]).transpose(*range(1, len(shape)), 0)
    return DevigResult(probabilities, status.reshape(shape[:-1]))


def _result_status(fair: Array, solved: NDArray[np.bool_], implied: Array, method: DevigMethod) -> NDArray[np.int8]:
    """The status (m,) of a method's result (n, m) for valid prices."""
    code = np.zeros(len(solved), np.int8)
    inside = (fair > 0) & (fair < 1)
    if not inside.all():
        code[~inside.all(axis=0)] = DevigStatus.OUT_OF_RANGE
    if not solved.all():
        code[~solved] = DevigStatus.NOT_CONVERGED
    if method is DevigMethod.SHIN:
        code[methods.booksum(implied) < MIN_FAIR_BOOKSUM] = DevigStatus.UNDERROUND
    return code
