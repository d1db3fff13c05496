"""Retention periods in days, and their defaults by feed.

Live odds cannot be fetched again: their ticks, and the prices computed from them, stay. A replay is bounded by its
recording, and its payloads only repeat that. A simulation writes 3 GB of invented odds a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

FOREVER_DAYS = 36_500
"""A hundred years."""


class RetentionCutoffs(NamedTuple):
    """Times before which rows are deleted; None keeps everything."""

    payloads: datetime | None
    ticks: datetime | None
    alerts: datetime | None
    prices: datetime | None


@dataclass(frozen=True, slots=True)
class RetentionDays:
    """Days for which each kind of data is kept.

    `payloads`: raw responses of the feed, readable or not. `ticks`: price changes, with the polls and keyframes they
    belong to. `alerts`: with the counts of suppressed ones. `prices`: the warehouse's rows for a game, from its start.
    `runs`: Dagster's, with their logs, and pages of the Data Docs.
    """

    payloads: int
    ticks: int
    alerts: int
    prices: int
    runs: int

    def cutoffs(self, now: datetime) -> RetentionCutoffs:
        """The cutoffs as of `now`. Payloads and alerts refer to polls, and are deleted no later than those."""
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
