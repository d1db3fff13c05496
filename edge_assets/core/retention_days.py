"""For how many days what grows is kept, and what that is where nobody has said so.

Live odds cannot be had again: their ticks, and the prices worked out from them, stay. A replay grows no larger than its
recording, which the payloads only repeat. A simulation writes 3 GB a day of odds that never were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

FOREVER_DAYS = 36_500
"""Days: a hundred years."""


class RetentionCutoffs(NamedTuple):
    """The moments before which nothing is kept; None: all of it is."""

    payloads: datetime | None
    ticks: datetime | None
    alerts: datetime | None
    prices: datetime | None


@dataclass(frozen=True, slots=True)
class RetentionDays:
    """Days that each kind is kept.

    `payloads`: the feed's answers as received, readable or not. `ticks`: changes of prices, with the polls and the
    keyframes they belong to. `alerts`: with the counts of what was withheld. `prices`: what the warehouse holds of a
    game, after its start. `runs`: Dagster's, with their logs, and pages of the Data Docs.
    """

    payloads: int
    ticks: int
    alerts: int
    prices: int
    runs: int

    def cutoffs(self, now: datetime) -> RetentionCutoffs:
        """Counted back from `now`. Payloads and alerts lead back to polls, and go when those do."""
        days = (min(self.payloads, self.ticks), self.ticks, min(self.alerts, self.ticks), self.prices)
        return RetentionCutoffs(
            *(None if days_kept >= FOREVER_DAYS else now - timedelta(days=days_kept) for days_kept in days)
        )


DEFAULT_RETENTION = {
    "odds-api": RetentionDays(payloads=30, ticks=FOREVER_DAYS, alerts=365, prices=FOREVER_DAYS, runs=7),
    "replay": RetentionDays(payloads=2, ticks=FOREVER_DAYS, alerts=FOREVER_DAYS, prices=FOREVER_DAYS, runs=7),
    "simulate": RetentionDays(payloads=1, ticks=2, alerts=2, prices=7, runs=7),
}
"""By feed."""
