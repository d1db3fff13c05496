"""What is known about each book apart from its prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import group_clones
from ml.quotes import MARKET_OUTCOMES, Market
from ml.settlement import Conflict, conflict_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.market import CloneGroups
    from ml.settlement import Rules


class BookProfile(NamedTuple):
    """A book's weight in the consensus, its commission on winnings, its clone group, and its settlement rules by market
    (None where unknown).
    """

    weight: float = 1.0
    commission: float = 0.0
    clone_group: Hashable | None = None
    rules_for: Callable[[Market], Rules] = lambda _: None


@dataclass(frozen=True, slots=True, eq=False)
class BookProfiles:
    """Profiles as columns (B,): `weight`, `commission` and `clone_group` (a number, its own for a book without clones).

    `conflicting_rules` holds the books' rules (B,) for the markets in which some are known to differ.
    """

    weight: NDArray[np.float64]
    commission: NDArray[np.float64]
    clone_group: NDArray[np.intp]
    clone_groups: CloneGroups
    conflicting_rules: Mapping[Market, Sequence[Rules]]

    @classmethod
    def from_profiles(cls, ids: Iterable[int], profile_of: Callable[[int], BookProfile]) -> BookProfiles:
        """The columns for the books `ids`, in that order."""
        known = [(i, profile_of(i)) for i in ids]
        sources: list[Hashable] = [i if t.clone_group is None else t.clone_group for i, t in known]
        numbers = {source: number for number, source in enumerate(dict.fromkeys(sources))}
        return cls(
            np.array([t.weight for _, t in known], np.float64),
            np.array([t.commission for _, t in known], np.float64),
            np.array([numbers[source] for source in sources], np.intp),
            group_clones(sources),
            {market: rules for market, rules in _rules_by_market(known) if _has_conflict(rules)},
        )


def _rules_by_market(known: Sequence[tuple[int, BookProfile]]) -> Iterator[tuple[Market, list[Rules]]]:
    for market in MARKET_OUTCOMES:
        yield market, [profile.rules_for(market) for _, profile in known]


def _has_conflict(rules: Sequence[Rules]) -> bool:
    """Whether two of the rules are known to conflict; unknown rules do not."""
    return bool((conflict_matrix(rules) & ~np.int16(Conflict.UNKNOWN)).any())
