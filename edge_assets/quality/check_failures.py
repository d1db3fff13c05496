"""A failed check: the group of prices, and how much of it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scipy.special import bdtrc

if TYPE_CHECKING:
    from ml.quotes import Market

MIN_SAMPLE = 20
"""Fewer cases prove nothing about a book."""
MAX_P_VALUE = 0.001
"""Between two builds a book may have changed a few dozen prices, where a single wrong one exceeds its allowed share:
so many must be wrong that a book at the allowed share would hardly ever reach them."""
MIN_LIKELY_P_VALUE = 0.05
Z_THRESHOLD = 4.5
"""Standard errors above zero."""
MAX_EXAMPLES = 5
ALL_BOOKS_ID = -3
"""In place of a book: all books of an import in a market."""
WHOLE_SEASON = -1
"""In place of an import: all prices of a season, from all imports and polls."""


class PriceGroup(NamedTuple):
    """Prices that arrived together: of a book (`BEST_PRICE_BOOK`, minus 1 for the average) in a market, from one
    import.

    `import_id` is 0 for polled prices, `WHOLE_SEASON` for a whole season.
    """

    book: int
    market: Market
    import_id: int


class CheckFailure(NamedTuple):
    """A group that fails a check: the number of cases, and the share of them that is wrong.

    For blind betting, `wrong_ratio` is the profit per unit staked.
    """

    check: str
    group: PriceGroup
    cases: int
    wrong_ratio: float
    examples: list[dict[str, Any]]


def is_likely(share: float, cases: int, wrong: int) -> bool:
    """Whether this many wrong cases are unsurprising if `share` of all cases are wrong, by the same test."""
    return wrong == 0 or bool(bdtrc(wrong - 1, cases, share) >= MIN_LIKELY_P_VALUE)


def is_significantly_above(ratio: float, cases: int, wrong: int) -> bool:
    """Whether more than `ratio` of the cases are wrong, by a one-sided binomial test."""
    return cases >= MIN_SAMPLE and bool(bdtrc(wrong - 1, cases, ratio) < MAX_P_VALUE)
