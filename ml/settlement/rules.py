"""Books' settlement rules. Where two differ, an "arbitrage" between them has a hole.

One book grades a match after ninety minutes, the other after overtime; one voids an abandoned match, the other lets the
bet stand. Conflicts are labelled, and an arbitrage has none between its legs unless they are tolerated.
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
    """Which part of the game counts."""

    REGULATION = auto()
    OVERTIME = auto()
    """Overtime or extra innings included, a shoot-out not."""
    SHOOTOUT = auto()
    """Everything until one side has won, shoot-out included."""


class Tie(Enum):
    """What happens to a two-way bet on a tie."""

    VOID = auto()
    LOSES = auto()
    DEAD_HEAT = auto()


class Abandoned(Enum):
    """What happens to bets on a match that was started and not finished."""

    VOID = auto()
    STANDS_IF_OFFICIAL = auto()
    """Bets stand if the league's result counts as official (five innings, 55 minutes)."""
    STANDS_IF_DECIDED = auto()
    """Only bets that further play could not have changed stand."""


class Pitchers(Enum):
    """Whether a baseball bet depends on the pitchers listed when it was placed."""

    ACTION = auto()
    LISTED = auto()
    """Both must start, or the bet is void."""


class Retirement(Enum):
    """From when on a bet remains valid if a player retires (tennis and similar sports)."""

    COMPLETED = auto()
    ONE_SET = auto()
    ONE_BALL = auto()


class DeadHeat(Enum):
    """How dead heats are paid."""

    REDUCED = auto()
    """The stake is divided by the number of tied places."""
    PAID_IN_FULL = auto()
    VOID = auto()


class Conflict(IntFlag):
    """The rules in which two books differ."""

    NONE = 0
    PERIOD = auto()
    TIE = auto()
    ABANDONED = auto()
    POSTPONED = auto()
    PITCHERS = auto()
    RETIREMENT = auto()
    DEAD_HEAT = auto()
    UNKNOWN = auto()
    """One book's rules, or one of its rules, are unknown."""


@dataclass(frozen=True, slots=True)
class SettlementRules:
    """How a book settles one sport's market; every field names a member of `Conflict`.

    `postponed` is the number of hours within which a postponed match must be played, or bets on it are void. None is an
    unknown rule; rules that do not apply to a sport keep their default.
    """

    period: Period
    tie: Tie | None = Tie.VOID
    abandoned: Abandoned | None = Abandoned.STANDS_IF_OFFICIAL
    postponed: float | None = 24.0
    pitchers: Pitchers | None = Pitchers.ACTION
    retirement: Retirement = Retirement.ONE_SET
    dead_heat: DeadHeat = DeadHeat.REDUCED


Rules = SettlementRules | None
"""None if a book's rules are unknown."""


def conflict(a: Rules, b: Rules) -> Conflict:
    """All rules in which two different books differ. Any difference counts: in some case one bet is void, or settled on
    a different result, and the other is not.
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
    """Whether the books of several bets settle alike, as shown to users."""

    SAME = "same"
    """All rules are known and equal."""
    DIFFER = "differ"
    """A rule is known to differ: in some case one bet is void, or settled on a different result, and the other is
    not."""
    UNKNOWN = "unknown"
    """No difference is known, but not all rules are known."""


def agreement(rules: Sequence[Rules]) -> RulesAgreement:
    """Compare the rules of different books; a book agrees with itself."""
    found = Conflict.NONE
    for a, b in combinations(rules, 2):
        found |= conflict(a, b)
    if found & ~Conflict.UNKNOWN:
        return RulesAgreement.DIFFER
    return RulesAgreement.UNKNOWN if found else RulesAgreement.SAME


def conflict_matrix(rules: Sequence[Rules]) -> NDArray[np.int16]:
    """The `Conflict` flags (B, B) of every two of B books; a book has none with itself."""
    table = np.array([[conflict(a, b) for b in rules] for a in rules], np.int16).reshape(len(rules), len(rules))
    np.fill_diagonal(table, Conflict.NONE)
    return table


def compatible_groups(table: NDArray[np.int16], rules: Sequence[Rules], tolerated: Conflict) -> Mask:
    """Masks (G, B) of the maximal sets of mutually compatible books; `table` is their `conflict_matrix`.

    Books of a set have the same rules, except for tolerated conflicts; books with unknown rules join every set if
    `UNKNOWN` is tolerated.
    """
    compatible = (table & ~np.int16(tolerated)) == 0
    known = np.array([rule is not None for rule in rules])
    if Conflict.UNKNOWN in tolerated and known.any():
        compatible = compatible[known]
    return np.unique(compatible, axis=0)
