"""Odds formats, and payouts to the cent."""

from ml.odds.formats import OddsFormat, from_decimal, to_decimal
from ml.odds.payouts import bookable_stake, payout
from ml.odds.text import format_odds, parse_odds, to_fraction

__all__ = [
    "OddsFormat",
    "bookable_stake",
    "format_odds",
    "from_decimal",
    "parse_odds",
    "payout",
    "to_decimal",
    "to_fraction",
]
