"""Detect by team name whether a source has home and away swapped, and swap its quotes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_assets.reference.teams import team_key
from ml.quotes import Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sides: TypeAlias = tuple[str | None, str | None]
"""Home and away; both None for an outright."""
PLACEHOLDER_PATTERN = re.compile(
    r"tb[da]\b.*|to be (?:determined|decided|announced|confirmed)|(?:winner|loser|runner[- ]up)s?\b.*\d.*|"
    r".*\b(?:winner|loser|runner[- ]up)s?(?: of)?(?: (?:match|game|group|series))?(?: \w{1,3})?|"
    r"(?:\d(?:st|nd|rd|th)|(?:afc|nfc|al|nl|east|west)) .*\b(?:seed|place)\b.*|(?:home|away) team|team [a-z0-9]",
    re.IGNORECASE,
)
"""Names that feeds use for a team that is not known yet."""
SIDED_MARKETS = np.array([Market.H2H, Market.H2H_3_WAY, Market.SPREADS, Market.H2H_LAY, Market.H2H_3_WAY_LAY])
SIDE_OUTCOMES = (int(Outcome.HOME), int(Outcome.AWAY))


@lru_cache(maxsize=65_536)
def are_sides_swapped(sport: str, ours: Sides, theirs: Sides) -> bool | None:
    """Whether a source names our away team first; None if it names other teams.

    One matching team is enough: the other may have been renamed. Events without two teams are never swapped.
    """
    if ours == theirs or None in ours or None in theirs:
        return False
    home, away = (team_key(sport, name or "") for name in ours)
    first, second = (team_key(sport, name or "") for name in theirs)
    same_order = _count_same((home, first), (away, second))
    swapped_order = _count_same((home, second), (away, first))
    return None if same_order == swapped_order else swapped_order > same_order


@lru_cache(maxsize=65_536)
def has_placeholder(sides: Sides) -> bool:
    """Whether a team is not known yet: TBD, Winner Group A, 3rd seed."""
    return any(PLACEHOLDER_PATTERN.fullmatch(name.strip()) for name in sides if name)


def _count_same(*pairs: tuple[str, str]) -> int:
    return sum(one == other != "" for one, other in pairs)


def swap_sides(quotes: QuoteBatch, swapped: NDArray[np.bool_]) -> QuoteBatch:
    """The quotes with home and away swapped where `swapped` (n,); a handicap stays with its team."""
    affected = swapped & np.isin(quotes.market, SIDED_MARKETS) & np.isin(quotes.outcome, SIDE_OUTCOMES)
    if not affected.any():
        return quotes
    event, book, market, outcome, *rest = quotes.columns()
    swapped_outcome = np.where(affected, sum(SIDE_OUTCOMES) - outcome, outcome).astype(np.int32)
    return QuoteBatch(event, book, market, swapped_outcome, *rest)


def swap_side(outcome: int, swapped: bool) -> int:
    """The outcome with home and away swapped if `swapped`."""
    return sum(SIDE_OUTCOMES) - outcome if swapped and outcome in SIDE_OUTCOMES else outcome
