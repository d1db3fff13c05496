"""What a check finds: a group of prices that came together, and how much of it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scipy.special import bdtrc

if TYPE_CHECKING:
    from ml.quotes import Market

MIN_SAMPLE = 20
"""Fewer cases tell nothing of a book."""
MAX_P_VALUE = 0.001
"""Between two builds a book may have changed some dozens of prices, of which a single wrong one is more than its share:
so many have to be wrong that a book with the share would hardly ever have them."""
MAX_SURPRISE = 0.05
Z_THRESHOLD = 4.5
"""Standard errors above zero."""
MAX_EXAMPLES = 5
ALL_BOOKS_ID = -3
"""In the place of a book: all that an import tells of a market."""
WHOLE_SEASON = -1
"""In the place of an import: all that is known of a season, whatever import or poll it came by."""


class PriceGroup(NamedTuple):
    """Prices that came together: of a book (`BEST`, or `BEST - 1` for the average) in a market, from one import.

    `import_id` is 0 where they were polled, `WHOLE_SEASON` for all of a season together.
    """

    book: int
    market: Market
    import_id: int


class CheckFailure(NamedTuple):
    """A group that fails a check: how many cases were looked at, and which share of them is wrong.

    Of bets `wrong` is the profit for each unit staked.
    """

    check: str
    group: PriceGroup
    cases: int
    wrong_ratio: float
    examples: list[dict[str, Any]]


def is_likely(share: float, cases: int, wrong: int) -> bool:
    """Whether so many wrong cases are no surprise if `share` of them are, by the same test."""
    return wrong == 0 or bool(bdtrc(wrong - 1, cases, share) >= MAX_SURPRISE)


def is_significantly_above(ratio: float, cases: int, wrong: int) -> bool:
    """Whether more than `share` of the cases are wrong, by the binomial test, one-sided."""
    return cases >= MIN_SAMPLE and bool(bdtrc(wrong - 1, cases, ratio) < MAX_P_VALUE)
