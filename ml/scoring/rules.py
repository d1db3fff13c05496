"""What makes a price worth an alert, and the reasons for which one is withheld."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ml.market.devig import DevigMethod


class Verdict(IntEnum):
    """What the rules say of one price or of one line's arbitrage.

    Everything above OPEN is a candidate that was withheld; the name is the counted reason, and the
    reason with which an open alert closes.
    """

    NOTHING = 0
    OPEN = 1
    STARTED = 2
    STALE = 3
    OUTLIER = 4
    THIN = 5
    ONE_SIDED = 6

    @property
    def reason(self) -> str:
        """The reason as users and the database see it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """Thresholds of the scorer.

    `outlier_log_odds` (distance from the median book), `least_booksum` (of one book's own prices) and
    `implausible_value` separate a book's error, which it would void, from value.
    """

    threshold_edge: float = 0.05
    kelly_cap: float = 0.25
    method: DevigMethod = DevigMethod.POWER
    stale_after_seconds: float = 600.0
    min_books: int = 4
    outlier_log_odds: float = 0.8
    least_booksum: float = 0.97
    implausible_value: float = 0.30
    implausible_arbitrage: float = 0.10
    update_probability: float = 0.0025
