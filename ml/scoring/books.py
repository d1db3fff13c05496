"""What is known of each book beside its prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import clones
from ml.quotes import OUTCOMES_OF, Market
from ml.settlement import Conflict, conflicts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.market import Clones
    from ml.settlement import Rules


class Traits(NamedTuple):
    """How sharp a book is taken to be (its weight in the consensus), what it keeps of winnings, whom it copies, and how
    it settles a market (None where that is not known).
    """

    weight: float = 1.0
    commission: float = 0.0
    source: Hashable | None = None
    rules_of: Callable[[Market], Rules] = lambda _: None


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Columns (B,) `weight`, `commission` and `source` (a number for the book itself or whom it copies), the groups of
    `clones`, and the books' rules (B,) on the markets on which they are known to differ.
    """

    weight: NDArray[np.float64]
    commission: NDArray[np.float64]
    source: NDArray[np.intp]
    clones: Clones
    differing: Mapping[Market, Sequence[Rules]]

    @classmethod
    def of(cls, ids: Iterable[int], traits_of: Callable[[int], Traits]) -> Books:
        """The columns of the books `ids`."""
        known = [(i, traits_of(i)) for i in ids]
        sources: list[Hashable] = [i if t.source is None else t.source for i, t in known]
        numbers = {source: number for number, source in enumerate(dict.fromkeys(sources))}
        return cls(
            np.array([t.weight for _, t in known], np.float64),
            np.array([t.commission for _, t in known], np.float64),
            np.array([numbers[source] for source in sources], np.intp),
            clones(sources),
            {market: rules for market, rules in _rules(known) if _differ(rules)},
        )


def _rules(known: Sequence[tuple[int, Traits]]) -> Iterator[tuple[Market, list[Rules]]]:
    for market in OUTCOMES_OF:
        yield market, [traits.rules_of(market) for _, traits in known]


def _differ(rules: Sequence[Rules]) -> bool:
    """Whether two of the rules are known to conflict; what is not known is not held against a book."""
    return bool((conflicts(rules) & ~np.int16(Conflict.UNKNOWN)).any())
