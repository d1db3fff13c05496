"""The credits that all sports of a burst share, as the feed last counted them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import Budget, FeedTerms, SportActivity, poll_interval, stretch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Meter:
    """Turns what is known of every sport and the last count of credits into each sport's next interval.

    Knows all configured sports, also those that other bursts poll: they spend the same credits.
    """

    def __init__(
        self, terms: FeedTerms, activities: Mapping[str, SportActivity], stated: tuple[int, datetime] | None
    ) -> None:
        self.terms = terms
        self._activities = dict(activities)
        self._stated = stated

    def note(self, sport: str, activity: SportActivity, remaining: int | None, now: datetime) -> None:
        """Remember a look at a sport; without a new count of credits the last one stands."""
        self._activities[sport] = activity
        if remaining is not None:
            self._stated = (remaining, now)

    def activity(self, sport: str) -> SportActivity:
        """What is known of a sport."""
        return self._activities.get(sport, SportActivity())

    def interval(self, sport: str, now: datetime, speed: float) -> float:
        """Seconds of the feed's time until the next look at a sport; infinite without credits."""
        if not self.terms.metered:
            return poll_interval(self.activity(sport), now, replace(self.terms, speed=speed))
        budget = Budget.at(now, *self._stated) if self._stated else Budget.at(now)
        lengthened = stretch(list(self._activities.values()), now, budget, self.terms.cost)
        return poll_interval(self.activity(sport), now, self.terms, lengthened)
