"""When a price is alerted, and the reasons for which a candidate is suppressed."""

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
    """The rules' verdict on a price or on the arbitrage of a line.

    Everything above OPEN is a suppressed candidate; the name is the reason that is counted, and the reason with which
    an open alert closes. OUTLIER: a likely error, which the book may void; it has an alert of that kind. RULES: the
    books of an arbitrage settle differently. DISPUTED: too many of the other books see no value in the price; the
    consensus then lies between two camps, and neither holds it. ONE_BOOK: all legs of an arbitrage are at one book or
    its clones, which no book offers on purpose; also alerted as a likely error. ONE_SIDED: the book does not price
    every outcome.
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
        """The reason as published and stored."""
        return self.name.lower()


NO_CANDIDATE, OPEN, STARTED, STALE, OUTLIER, THIN, ONE_SIDED, RULES, DISPUTED, ONE_BOOK = map(int, Verdict)
"""Plain integers for arrays: NumPy is much slower with enum members."""


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

    A book with a booksum below `min_booksum` contradicts itself. A price is disputed if the dissent is at least
    `max_dissent` (`ml.market.dissent`). `volatility` is the standard deviation, in log-odds, of the market's drift in
    one second; it grows with the square root of time. Measured: 1.5e-4 to 5.5e-4 between three days and ten minutes
    before the start of 120 NFL games of 2025. `policy` holds the limits of the risk controls.
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


DEFAULT_RULES = ScoringRules()
"""For what does not depend on the settings: the warehouse, and the API's odds and middles."""
