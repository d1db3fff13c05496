"""Home and away as an event has them, where a source has them the other way round: found by name, never by position."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_assets.matching.teams import team_key
from ml.quotes import Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sides: TypeAlias = tuple[str | None, str | None]
"""Home and away; both None for an outright."""
PLACEHOLDER = re.compile(
    r"tb[da]\b.*|to be (?:determined|decided|announced|confirmed)|(?:winner|loser|runner[- ]up)s?\b.*\d.*|"
    r".*\b(?:winner|loser|runner[- ]up)s?(?: of)?(?: (?:match|game|group|series))?(?: \w{1,3})?|"
    r"(?:\d(?:st|nd|rd|th)|(?:afc|nfc|al|nl|east|west)) .*\b(?:seed|place)\b.*|(?:home|away) team|team [a-z0-9]",
    re.IGNORECASE,
)
"""What feeds call a team of a play-off that is not known yet."""
MARKETS_OF_SIDES = np.array([Market.H2H, Market.H2H_3_WAY, Market.SPREADS, Market.H2H_LAY, Market.H2H_3_WAY_LAY])
OUTCOMES_OF_SIDES = (int(Outcome.HOME), int(Outcome.AWAY))


@lru_cache(maxsize=65_536)
def are_exchanged(sport: str, ours: Sides, theirs: Sides) -> bool | None:
    """Whether an answer about one of our events names our away team first; None if it is about other teams.

    One team is enough to tell: the other may have been renamed. Without two teams there are no sides to exchange.
    """
    if ours == theirs or None in ours or None in theirs:
        return False
    home, away = (team_key(sport, name or "") for name in ours)
    first, second = (team_key(sport, name or "") for name in theirs)
    straight = _count_same((home, first), (away, second))
    crossed = _count_same((home, second), (away, first))
    return None if straight == crossed else crossed > straight


@lru_cache(maxsize=65_536)
def has_placeholder(sides: Sides) -> bool:
    """Whether a team of them is not known yet: TBD, Winner Group A, 3rd seed."""
    return any(PLACEHOLDER.fullmatch(name.strip()) for name in sides if name)


def _count_same(*pairs: tuple[str, str]) -> int:
    return sum(one == other != "" for one, other in pairs)


def exchange_sides(quotes: QuoteBatch, exchanged: NDArray[np.bool_]) -> QuoteBatch:
    """The quotes with home and away exchanged where `exchanged` (n,); a handicap stays with its team."""
    turn = exchanged & np.isin(quotes.market, MARKETS_OF_SIDES) & np.isin(quotes.outcome, OUTCOMES_OF_SIDES)
    if not turn.any():
        return quotes
    event, book, market, outcome, *rest = quotes.columns()
    turned = np.where(turn, sum(OUTCOMES_OF_SIDES) - outcome, outcome).astype(np.int32)
    return QuoteBatch(event, book, market, turned, *rest)


def exchange_side(outcome: int, exchanged: bool) -> int:
    """The outcome with home and away exchanged if `exchanged`."""
    return sum(OUTCOMES_OF_SIDES) - outcome if exchanged and outcome in OUTCOMES_OF_SIDES else outcome
