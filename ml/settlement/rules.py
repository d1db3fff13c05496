"""The rules by which books settle. Where two differ, an "arbitrage" between them has a hole.

One book grades a match after ninety minutes, the other after overtime; one voids what is abandoned, the other
lets it stand. Conflicts are labelled, and kept out of an arbitrage's legs unless they are tolerated.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum, IntFlag, StrEnum, auto
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


class Period(Enum):
    """How much of the play counts."""

    REGULATION = auto()
    OVERTIME = auto()
    """Overtime or extra innings included, a shoot-out not."""
    SHOOTOUT = auto()
    """Everything until there is a winner."""


class Tie(Enum):
    """What becomes of a two-way bet if nobody wins."""

    VOID = auto()
    LOSES = auto()
    DEAD_HEAT = auto()


class Abandoned(Enum):
    """What becomes of bets on a match that is begun and not finished."""

    VOID = auto()
    STANDS_IF_OFFICIAL = auto()
    """Where the league lets the result stand (five innings, 55 minutes)."""
    STANDS_IF_DECIDED = auto()
    """Only what further play could not have changed."""


class Pitchers(Enum):
    """Whether a baseball bet needs the pitchers who were listed when it was made."""

    ACTION = auto()
    LISTED = auto()
    """Both must start, or the bet is void."""


class Retirement(Enum):
    """From when on a bet stands though a player gives up (tennis and its like)."""

    COMPLETED = auto()
    ONE_SET = auto()
    ONE_BALL = auto()


class DeadHeat(Enum):
    """How shared places are paid."""

    REDUCED = auto()
    """The stake is divided by the number of those who share."""
    PAID_IN_FULL = auto()
    VOID = auto()


class Conflict(IntFlag):
    """In what two books' rules differ."""

    NONE = 0
    PERIOD = auto()
    TIE = auto()
    ABANDONED = auto()
    POSTPONED = auto()
    PITCHERS = auto()
    RETIREMENT = auto()
    DEAD_HEAT = auto()
    UNKNOWN = auto()
    """The rules of one of them, or one of its rules, are not known."""


@dataclass(frozen=True, slots=True)
class SettlementRules:
    """How a book settles one sport's market; every field names a member of `Conflict`.

    `postponed` is the number of hours within which a postponed match must be played, or bets on it are void.
    None is a rule that is not known; what has no meaning in a sport is left as it is.
    """

    period: Period
    tie: Tie | None = Tie.VOID
    abandoned: Abandoned | None = Abandoned.STANDS_IF_OFFICIAL
    postponed: float | None = 24.0
    pitchers: Pitchers | None = Pitchers.ACTION
    retirement: Retirement = Retirement.ONE_SET
    dead_heat: DeadHeat = DeadHeat.REDUCED


Rules = SettlementRules | None
"""None where a book's rules are not known."""


def conflict(a: Rules, b: Rules) -> Conflict:
    """All in which the rules of two different books differ. Any difference counts: in some case one bet is void, or
    settled on another result, and the other is not.
    """
    if a is None or b is None:
        return Conflict.UNKNOWN
    found = Conflict.NONE
    for field in fields(SettlementRules):
        ours, theirs = getattr(a, field.name), getattr(b, field.name)
        if ours is None or theirs is None:
            found |= Conflict.UNKNOWN
        elif ours != theirs:
            found |= Conflict[field.name.upper()]
    return found


class RulesAgreement(StrEnum):
    """Whether the books of several bets settle alike, as users see it."""

    SAME = "same"
    """All their rules are known, and equal."""
    DIFFER = "differ"
    """A rule is known to differ: in some case one bet is settled on another result, or void, and the other is not."""
    UNKNOWN = "unknown"
    """No difference is known, but not all rules are."""


def agreement(rules: Sequence[Rules]) -> RulesAgreement:
    """What the rules of different books are to each other; one book agrees with itself."""
    found = Conflict.NONE
    for a, b in combinations(rules, 2):
        found |= conflict(a, b)
    if found & ~Conflict.UNKNOWN:
        return RulesAgreement.DIFFER
    return RulesAgreement.UNKNOWN if found else RulesAgreement.SAME


def conflict_matrix(rules: Sequence[Rules]) -> NDArray[np.int16]:
    """The `conflict` of every two of B books (B, B), as numbers; a book has none with itself."""
    table = np.array([[conflict(a, b) for b in rules] for a in rules], np.int16).reshape(len(rules), len(rules))
    np.fill_diagonal(table, Conflict.NONE)
    return table


def compatible_groups(table: NDArray[np.int16], rules: Sequence[Rules], tolerated: Conflict) -> Mask:
    """Masks (G, B) of the largest sets of books that are compatible with each other, by their table of
    `conflict_matrix`.

    They have the same rules (in what is not tolerated); books of unknown rules join every set where that is tolerated.
    """
    compatible = (table & ~np.int16(tolerated)) == 0
    known = np.array([rule is not None for rule in rules])
    if Conflict.UNKNOWN in tolerated and known.any():
        compatible = compatible[known]
    return np.unique(compatible, axis=0)
