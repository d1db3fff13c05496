"""Odds as text: formatting and parsing."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor, isnan, log10

from ml.odds.formats import OddsFormat, from_decimal, to_decimal

MAX_DENOMINATOR = 100
"""Enough for decimal odds with two digits."""
EVEN_ODDS_WORDS = {"evens", "evs", "even", "ev"}
FRACTION_PATTERN = re.compile(r"(\d{1,9})\s*[/-]\s*(\d{1,9})")


def to_fraction(price: float, max_denominator: int = MAX_DENOMINATOR) -> Fraction:
    """The fractional odds nearest to decimal odds `price`, in lowest terms.

    Raises `ValueError` for odds that do not exceed 1, or are below the smallest fraction.
    """
    fraction = Fraction(float(from_decimal(price, OddsFormat.FRACTIONAL))).limit_denominator(max_denominator)
    if not fraction:
        msg = f"decimal odds {price:g} are below any fraction with a denominator of at most {max_denominator}"
        raise ValueError(msg)
    return fraction


def format_odds(price: float, odds_format: OddsFormat) -> str:
    """Format decimal odds `price` as books do: 2.50, +150, 3/2, 1.50, -0.67, +1.50, 40.00%.

    Rounded for display, to two decimals and at least two significant digits of the profit; bets are settled at the
    exact odds. Raises `ValueError` for invalid odds.
    """
    odds = float(from_decimal(price, odds_format))
    match odds_format:
        case OddsFormat.FRACTIONAL:
            fraction = to_fraction(price)
            return f"{fraction.numerator}/{fraction.denominator}"
        case OddsFormat.AMERICAN:
            return f"{odds:+.0f}"
        case OddsFormat.DECIMAL:
            return f"{odds:.{_decimal_places(odds - 1)}f}"
        case OddsFormat.PROBABILITY:
            return f"{odds:.{_decimal_places(100 * min(odds, 1 - odds))}%}"
        case OddsFormat.HONG_KONG:
            return f"{odds:.{_decimal_places(odds)}f}"
        case _:
            return f"{odds:+.{_decimal_places(abs(odds))}f}"


def parse_odds(text: str, odds_format: OddsFormat) -> float:
    """Parse odds to decimal: 5/2, 5-2, evens; +150, -110, EV; 2.5; 40% or .4; the Unicode minus sign is accepted.

    Raises `ValueError` for text that is not a number and for values that are invalid in the format.
    """
    plain = text.strip().lower().replace("\N{MINUS SIGN}", "-")
    if plain in EVEN_ODDS_WORDS:
        return 2.0
    value = _parse_fraction(plain) if odds_format is OddsFormat.FRACTIONAL else _parse_number(plain, odds_format)
    if isnan(value):
        msg = f"not valid {odds_format} odds: {text!r}"
        raise ValueError(msg)
    return float(to_decimal(value, odds_format))


def _decimal_places(size: float) -> int:
    return max(2, 1 - floor(log10(size)))


def _parse_fraction(plain: str) -> float:
    if (parts := FRACTION_PATTERN.fullmatch(plain)) and int(parts[2]):
        return int(parts[1]) / int(parts[2])
    return float("nan")


def _parse_number(plain: str, odds_format: OddsFormat) -> float:
    percent = odds_format is OddsFormat.PROBABILITY and plain.endswith("%")
    try:
        return float(plain.removesuffix("%")) / 100 if percent else float(plain)
    except ValueError:
        return float("nan")
