"""Conversion between odds formats and decimal odds, vectorised.

With d the decimal odds, d - 1 is the profit per unit of stake.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Convert = Callable[[Array], Array]
    Possible = Callable[[Array], NDArray[np.bool_]]

EVEN_ODDS = 2.0


class OddsFormat(StrEnum):
    """An odds format; d are the decimal odds, d > 1."""

    DECIMAL = "decimal"
    """The payout of a stake of one, stake included."""
    AMERICAN = "american"
    """100 (d - 1) from evens on, -100 / (d - 1) below: the profit of 100, or minus the stake for 100."""
    FRACTIONAL = "fractional"
    """d - 1 as a fraction; `ml.odds.parse_odds` and `ml.odds.to_fraction` handle the text."""
    HONG_KONG = "hong_kong"
    """d - 1."""
    MALAY = "malay"
    """d - 1 up to evens, -1 / (d - 1) above: never further from zero than 1."""
    INDONESIAN = "indonesian"
    """d - 1 from evens on, -1 / (d - 1) below: American odds / 100, never nearer to zero than 1."""
    PROBABILITY = "probability"
    """1 / d, the probability at which the bet is fair."""


def to_decimal(odds: ArrayLike, odds_format: OddsFormat) -> Array:
    """Convert `odds` (...) in `odds_format` to decimal odds; NaN stays NaN.

    Evens have two signs in the signed formats (+100 and -100, 1 and -1). Raises `ValueError`, naming the first, for
    values that are invalid in the format or whose decimal odds round to 1.
    """
    values = np.asarray(odds, np.float64)
    _raise_if_impossible(values, odds_format)
    price = _TO_DECIMAL[odds_format](values)
    _raise_if_impossible(price, OddsFormat.DECIMAL)
    return price


def from_decimal(price: ArrayLike, odds_format: OddsFormat) -> Array:
    """Convert decimal odds `price` (...) to `odds_format`, unrounded; NaN stays NaN. Evens are +100 and +1.

    Raises `ValueError` for values that are not above 1, or infinite.
    """
    values = np.asarray(price, np.float64)
    _raise_if_impossible(values, OddsFormat.DECIMAL)
    return _FROM_DECIMAL[odds_format](values)


def _raise_if_impossible(values: Array, odds_format: OddsFormat) -> None:
    possible, rule = _VALID_RANGES[odds_format]
    impossible = ~(np.isnan(values) | (possible(values) & np.isfinite(values)))
    if impossible.any():
        msg = f"{odds_format} odds must be {rule}, got {values[impossible].flat[0]:g}"
        raise ValueError(msg)


def _from_signed(scale: float) -> Convert:
    """The profit of a value that is positive for profit x `scale`, and negative for -`scale` / profit."""
    return lambda values: 1 + np.where(values > 0, values / scale, -scale / values)


def _to_signed(scale: float, positive: Possible) -> Convert:
    """The inverse of `_from_signed`, positive where the decimal odds are `positive`."""
    return lambda price: np.where(positive(price), (price - 1) * scale, -scale / (price - 1))


_VALID_RANGES: dict[OddsFormat, tuple[Possible, str]] = {
    OddsFormat.DECIMAL: (lambda d: d > 1, "finite and above 1"),
    OddsFormat.AMERICAN: (lambda a: np.abs(a) >= 100, "at most -100 or at least +100"),  # noqa: PLR2004 - stated in the text
    OddsFormat.FRACTIONAL: (lambda x: x > 0, "finite and above 0"),
    OddsFormat.HONG_KONG: (lambda x: x > 0, "finite and above 0"),
    OddsFormat.MALAY: (lambda m: (np.abs(m) <= 1) & (m != 0), "between -1 and 1 and not 0"),
    OddsFormat.INDONESIAN: (lambda i: np.abs(i) >= 1, "at most -1 or at least 1"),
    OddsFormat.PROBABILITY: (lambda p: (p > 0) & (p < 1), "above 0 and below 1"),
}
_TO_DECIMAL: dict[OddsFormat, Convert] = {
    OddsFormat.DECIMAL: lambda d: d.copy(),
    OddsFormat.AMERICAN: _from_signed(100),
    OddsFormat.FRACTIONAL: lambda x: 1 + x,
    OddsFormat.HONG_KONG: lambda x: 1 + x,
    OddsFormat.MALAY: _from_signed(1),
    OddsFormat.INDONESIAN: _from_signed(1),
    OddsFormat.PROBABILITY: lambda p: 1 / p,
}
_FROM_DECIMAL: dict[OddsFormat, Convert] = {
    OddsFormat.DECIMAL: lambda d: d.copy(),
    OddsFormat.AMERICAN: _to_signed(100, lambda d: d >= EVEN_ODDS),
    OddsFormat.FRACTIONAL: lambda d: d - 1,
    OddsFormat.HONG_KONG: lambda d: d - 1,
    OddsFormat.MALAY: _to_signed(1, lambda d: d <= EVEN_ODDS),
    OddsFormat.INDONESIAN: _to_signed(1, lambda d: d >= EVEN_ODDS),
    OddsFormat.PROBABILITY: lambda d: 1 / d,
}
