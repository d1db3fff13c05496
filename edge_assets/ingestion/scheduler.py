"""Poll intervals from the credits that all sports of a burst share, as the feed last stated them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import (
    CreditBudget,
    FeedTerms,
    SportActivity,
    compute_throttle_factor,
    first_poll_interval,
    poll_interval,
    seconds_until_due,
)
from edge_assets.store.polls.credits import CreditStatement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class PollScheduler:
    """Turns the activity of every sport and the last statement of credits into each sport's next interval.

    Includes all configured sports, also those that other bursts poll or that were never polled: they share the credits.
    """

    def __init__(
        self, terms: FeedTerms, activities: Mapping[str, SportActivity], stated: CreditStatement | None
    ) -> None:
        self.terms = terms
        self._activities = dict(activities)
        self._stated = stated

    def record_poll(self, sport: str, activity: SportActivity, remaining: int | None, now: datetime) -> None:
        """Record a poll of a sport; without a new statement of credits the last one remains valid."""
        self._activities[sport] = activity
        self.record_credits(remaining, now)

    def record_credits(self, remaining: int | None, now: datetime) -> None:
        """Record the credits that a response stated, even one that was of no other use."""
        if remaining is not None:
            self._stated = CreditStatement(now, remaining)

    def activity(self, sport: str) -> SportActivity:
        """The activity of a sport."""
        return self._activities.get(sport, SportActivity())

    def interval(self, sport: str, now: datetime, speed: float) -> float:
        """Seconds of the feed's time until the next poll of a sport; infinite without credits."""
        if not self.terms.is_metered:
            return poll_interval(self.activity(sport), now, replace(self.terms, speed=speed))
        return poll_interval(self.activity(sport), now, self.terms, self._throttle_factor(now))

    def retry_interval(self, sport: str, now: datetime, failures: int, *, is_known: bool) -> float:
        """Seconds until a request that may have been charged in vain is repeated; 0 for a free feed, infinite without
        credits. A sport without any poll (not `is_known`) has only the interval of a sport without starts."""
        if not self.terms.is_metered:
            return 0.0
        interval = self.interval(sport, now, 1.0)
        if is_known:
            return interval
        budget = CreditBudget.from_statement(now, self._stated)
        return min(
            interval, first_poll_interval(failures, len(self._activities), now, budget, self.terms.credits_per_poll)
        )

    def seconds_until_due(self, sport: str, now: datetime, last_poll: datetime | None) -> float:
        """Seconds until a sport that was last polled at `last_poll` is due; infinite without credits."""
        if not self.terms.is_metered:
            return 0.0
        activity = replace(self.activity(sport), last_poll=last_poll)
        return seconds_until_due(activity, now, self.terms, self._throttle_factor(now))

    def _throttle_factor(self, now: datetime) -> float:
        return compute_throttle_factor(
            list(self._activities.values()),
            now,
            CreditBudget.from_statement(now, self._stated),
            self.terms.credits_per_poll,
        )
