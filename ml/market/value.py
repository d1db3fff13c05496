"""The value of a price against a fair probability, and its uncertainty. Arguments broadcast.

Prices are decimal and after commission. With a push, probabilities are those given that the bet is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from ml.market.methods import booksum

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BOOKS_SCALE = 4.0
AGE_SCALE_SECONDS = 300.0
METHOD_SPREAD_SCALE = 0.02
DISPERSION_SCALE = 0.15
CONFIDENCE_LEVEL = 0.9
"""Of the interval of the expected value; its lower end, by which bets are ranked, is exceeded with probability .95."""
TWO_WAY = 2
CENTS_PER_UNIT = 100.0
EVEN_ODDS = 2.0


def edge(fair: Array, price: Array) -> Array:
    """Fair probability minus the probability that the decimal price implies: p - 1 / price."""
    return fair - 1.0 / price


def expected_value(fair: Array, price: Array, push: Array | float = 0.0) -> Array:
    """Expected profit of a stake of one: (1 - push) (p x price - 1), the stake returned with probability `push`."""
    value: Array = (1.0 - np.asarray(push)) * (fair * price - 1.0)
    return value


def probability_standard_error(fair: Array, log_odds_error: Array) -> Array:
    """The standard error of a probability whose log-odds have `log_odds_error` s: s p (1 - p), to first order."""
    return log_odds_error * fair * (1.0 - fair)


def value_interval(
    fair: Array, price: Array, standard_error: Array, push: Array | float = 0.0, level: float = CONFIDENCE_LEVEL
) -> tuple[Array, Array]:
    """The ends of the interval that holds the expected value with probability `level`.

    `standard_error` is the standard error of `fair`. A normal approximation, with probabilities clipped to [0, 1].
    """
    half_width = ndtri((1.0 + level) / 2.0) * standard_error
    low, high = (np.minimum(np.maximum(fair + sign * half_width, 0.0), 1.0) for sign in (-1.0, 1.0))
    return expected_value(low, price, push), expected_value(high, price, push)


def probability_of_value(fair: Array, price: Array, standard_error: Array) -> Array:
    """The probability that the bet has positive expected value: Phi((p - 1 / price) / error), error that of `fair`."""
    gap = edge(fair, price)
    certain = np.where(gap > 0, 1.0, 0.0)
    return np.where(
        standard_error > 0,
        ndtr(
            np.divide(
                gap, standard_error, out=np.zeros(np.broadcast(gap, standard_error).shape), where=standard_error > 0
            )
        ),
        certain,
    )


def hold(prices: Array) -> Array:
    """A book's hold (...,), its share of balanced stakes at `prices` (..., n): 1 - 1 / booksum."""
    share: Array = 1.0 - 1.0 / booksum(np.moveaxis(1.0 / prices, -1, 0))
    return share


def market_width(prices: Array) -> Array:
    """The distance between a two-way market's sides in American cents (...,), of `prices` (..., 2).

    -110 and -110 are 20 cents wide, -120 and +110 are 10, +100 and +100 none; an arbitrage is negative. NaN where a
    price does not exceed 1. Raises `ValueError` for another number of sides.
    """
    if prices.shape[-1] != TWO_WAY:
        msg = f"market width needs exactly two sides, got {prices.shape[-1]}"
        raise ValueError(msg)
    profit = np.where(prices > 1, prices - 1.0, np.nan)
    # above or below evens, in hundredths of the smaller side
    cents = np.where(prices >= EVEN_ODDS, CENTS_PER_UNIT * (profit - 1.0), CENTS_PER_UNIT * (1.0 - 1.0 / profit))
    width: Array = -(cents[..., 0] + cents[..., 1])
    return width


def rank_by_value(expected_value_low: Array, top: int | None = None) -> NDArray[np.intp]:
    """Bets in descending order of the lower end of their value (M,), NaN left out; equals keep their order."""
    order = np.argsort(-expected_value_low, kind="stable")
    return order[: np.count_nonzero(~np.isnan(expected_value_low))][:top]


def confidence(books: NDArray[Any], age_seconds: Array, method_spread: Array, dispersion: Array) -> Array:
    """A score from 0 to 100: how much an estimate can be trusted.

    100 x the geometric mean of four terms, each 1 at best and 1/2 at its scale: b / (b + 4) for b books, and 1 / (1 + x
    / scale) for the price's age (300 s; below 0 counts as 0), the spread between de-vig methods (2 points of
    probability) and the dispersion of the books' log-odds (.15). One bad term pulls the score down, whatever the others
    are. The scales are conventions, not fits; NaN where an argument is.
    """
    crowd = books / (books + BOOKS_SCALE)
    fresh = 1 / (1 + np.maximum(age_seconds, 0) / AGE_SCALE_SECONDS)
    robust = 1 / (1 + method_spread / METHOD_SPREAD_SCALE)
    agreed = 1 / (1 + dispersion / DISPERSION_SCALE)
    score: Array = 100 * np.sqrt(np.sqrt(crowd * fresh * robust * agreed))
    return score
