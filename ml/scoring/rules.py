"""What makes a price worth an alert, and the reasons for which one is withheld."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from ml.market.devig import DevigMethod
from ml.staking import StakePolicy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Verdict(IntEnum):
    """What the rules say of one price or of one line's arbitrage.

    Everything above OPEN is a candidate that was withheld; the name is the counted reason, and the
    reason with which an open alert closes. An OUTLIER is shown apart, as a likely error that may be voided. RULES:
    the books of an arbitrage settle differently. DISPUTED: too many of the other books say that the price is worth
    nothing, so that the consensus is between two opinions, and nobody's. ONE_BOOK: all bets of an arbitrage are at one
    book or its copies, which nobody sells on purpose; it is shown as a likely error too. ONE_SIDED: the book does not
    price every outcome.
    """

    NO_CANDIDATE = 0
    OPEN = 1
    STARTED = 2
    STALE = 3
    OUTLIER = 4
    THIN = 5
    ONE_SIDED = 6
    RULES = 7
    DISPUTED = 8
    ONE_BOOK = 9

    @property
    def reason(self) -> str:
        """The reason as users and the database see it."""
        return self.name.lower()


NO_CANDIDATE, OPEN, STARTED, STALE, OUTLIER, THIN, ONE_SIDED, RULES, DISPUTED, ONE_BOOK = map(int, Verdict)
"""For arrays: NumPy takes five times as long to compare one with a member of an enumeration, or to write it."""


def is_alertable(verdict: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which verdicts on prices, of any shape, have an alert."""
    alertable: NDArray[np.bool_] = (verdict == OPEN) | (verdict == OUTLIER)
    return alertable


def is_alertable_arbitrage(verdict: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which verdicts on arbitrages, of any shape, have an alert."""
    alertable: NDArray[np.bool_] = (verdict == OPEN) | (verdict == ONE_BOOK)
    return alertable


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """Thresholds of the scorer.

    A book whose prices sum to less than `min_booksum` is in conflict with itself. A price is disputed where the other
    books that call it worth nothing have a share of `max_dissent` or more of their weight (`ml.market.others`).
    `volatility` is how far the market
    drifts in a second, a standard deviation in log-odds that grows with the root of time: 1.5e-4 to 5.5e-4 between
    three days and ten minutes before 120 games of the NFL in 2025. `policy` are the numbers of the risk controls.
    """

    threshold_edge: float = 0.05
    kelly_cap: float = 0.25
    method: DevigMethod = DevigMethod.POWER
    stale_after_seconds: float = 600.0
    min_books: int = 4
    min_booksum: float = 0.97
    max_dissent: float = 0.25
    max_arbitrage_return: float = 0.10
    min_probability_change: float = 0.0025
    volatility: float = 5e-4
    policy: StakePolicy = field(default_factory=StakePolicy)
