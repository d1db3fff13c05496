"""What is known of each book beside its prices."""

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
    """How sharp a book is taken to be (its weight in the consensus), what it keeps of winnings, whom it copies, and how
    it settles a market (None where that is not known).
    """

    weight: float = 1.0
    commission: float = 0.0
    clone_group: Hashable | None = None
    rules_for: Callable[[Market], Rules] = lambda _: None


@dataclass(frozen=True, slots=True, eq=False)
class BookProfiles:
    """Columns (B,) `weight`, `commission` and `source` (a number for the book itself or whom it copies), the groups of
    `clones`, and the books' rules (B,) on the markets on which they are known to differ.
    """

    weight: NDArray[np.float64]
    commission: NDArray[np.float64]
    clone_group: NDArray[np.intp]
    clone_groups: CloneGroups
    conflicting_rules: Mapping[Market, Sequence[Rules]]

    @classmethod
    def from_profiles(cls, ids: Iterable[int], profile_of: Callable[[int], BookProfile]) -> BookProfiles:
        """The columns of the books `ids`."""
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
    """Whether two of the rules are known to conflict; what is not known is not held against a book."""
    return bool((conflict_matrix(rules) & ~np.int16(Conflict.UNKNOWN)).any())
