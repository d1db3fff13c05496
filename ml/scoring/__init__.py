"""From a stream of changed prices to alerts.

`SportScorer` keeps the matrix of one sport: `restore(...)` from the database, then `apply_poll(PollChanges)` for every
poll and `advance_time(now)` when time passes without one; each returns the alert steps to publish and counts the
suppressed candidates by reason. A `FairPriceProvider` supplies fair prices, a `Strategy` chooses the bets, an
`AlertBook` holds the open alerts; each can be used without the scorer. No I/O: the service around it is
`serving.scorer`.
"""

from ml.scoring.alerts import Alert, AlertKey, AlertMetrics, Leg
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.rules import DEFAULT_RULES, ScoringRules, Verdict
from ml.scoring.scorer import ScoringResult, SportScorer

__all__ = [
    "DEFAULT_RULES",
    "Alert",
    "AlertKey",
    "AlertMetrics",
    "BookProfile",
    "BookProfiles",
    "Leg",
    "ScoringResult",
    "ScoringRules",
    "SportScorer",
    "Verdict",
]
