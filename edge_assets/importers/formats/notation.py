"""Parse numbers as people write them in files."""

from __future__ import annotations

import re
from math import nan

NUMBER_PATTERN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
EVEN_MONEY_WORDS = frozenset({"EV", "EVEN", "EVENS"})
PICK_EM_WORDS = frozenset({"PK", "PICK", "PICK'EM"})
CHARACTER_REPLACEMENTS = str.maketrans({"\u00bd": ".5", "\u00bc": ".25", "\u00be": ".75", "\u2212": "-", "\u2013": "-"})
"""Fraction characters, and variants of the minus sign."""


def parse_number(text: str) -> float:
    """A plain decimal number; NaN for anything else, including `inf`, `1_000`, `1,9` and `4/5`."""
    return float(text) if NUMBER_PATTERN.fullmatch(text) else nan


def parse_american(text: str) -> float:
    """An American price; even money may be a word."""
    return 100.0 if text.upper() in EVEN_MONEY_WORDS else parse_number(text.translate(CHARACTER_REPLACEMENTS))


def parse_point(text: str) -> float:
    """A handicap or a total; half points may be a fraction character, a pick'em is a handicap of 0."""
    return 0.0 if text.upper() in PICK_EM_WORDS else parse_number(text.translate(CHARACTER_REPLACEMENTS))
