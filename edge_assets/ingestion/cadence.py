"""How often a sport is worth a look: near its starts, while prices move, and as far as the credits go.

Pure: facts in, seconds out. Everything is in the feed's time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.ingestion.backoff import MAX_DOUBLINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_assets.store.polls.credits import CreditStatement

MIN_INTERVAL_SECONDS = 60.0
"""The feed itself renews featured odds every 60 s before a start: asking more often buys the same prices."""
IDLE_INTERVAL_SECONDS = 6 * 3600.0
"""A listing without a start in sight: often enough to notice a new one."""
TIME_TO_START_DIVISOR = 60
"""Wait a sixtieth of the time left to the start: a minute in the last hour, 24 minutes a day before."""
IN_PLAY_INTERVAL_SECONDS = 300.0
"""In play nothing is alerted, but the fate of an open market is still worth knowing."""
IN_PLAY_DURATION_SECONDS = 4 * 3600.0
MOVEMENT_GAIN = 100.0
"""A market of which 1% moves in a minute is watched twice as often (the recorded NFL week: 0.2%)."""

MAX_FREE_INTERVAL_SECONDS = 300.0
"""Feeds of history keep a snapshot every 5 minutes: a fast replay that looks less often skips some."""

SMALLEST_PLAN_CREDITS = 500
"""A month of the provider's smallest plan: what is spent where a feed counts credits and does not say what is left."""
_MAX_HORIZON_SECONDS = 7 * 86_400.0
_MIN_HORIZON_SECONDS = 86_400.0
_STEP_SECONDS = 900.0

MIN_SPARSE_RATIO = 4.0
"""Intervals that want of credits makes longer than that are told, where they are longer than any sport's are by itself
(`IDLE_INTERVAL_SECONDS`) or rest on an assumption."""
LAST_HOUR_SECONDS = 3600.0
"""Before a start, in which prices move most: where not even one poll falls into it, that is told."""
CREDIT_CHECK_INTERVAL_SECONDS = 3600.0
"""A larger plan is noticed within the hour it was bought in: asking whether there are credits costs none."""
MAX_CLOCK_DIFFERENCE = timedelta(seconds=60)
"""What is further ahead of now was noted by a clock that has been set back since: it says nothing about now."""


def is_in_future(at: datetime, now: datetime) -> bool:
    """Whether a moment that should be past is one of a clock that was wrong."""
    return at > now + MAX_CLOCK_DIFFERENCE


@dataclass(frozen=True, slots=True)
class SportActivity:
    """What is known of a sport: listed starts, share of its quotes that change in a minute, when it was last polled.

    The last is by the wall clock, which only feeds that are metered are planned by.
    """

    starts: tuple[datetime, ...] = ()
    movement: float = 0.0
    last_poll: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreditBudget:
    """Credits for the rest of the month.

    `remaining` may be negative: the feed counts that way. None: unknown, because the feed was not asked this month;
    asking is free. `is_assumed`: the feed was asked and did not say, so that the smallest plan is spent, evenly.
    """

    remaining: float | None
    month_end: datetime
    is_assumed: bool = False

    @classmethod
    def from_statement(cls, now: datetime, stated: CreditStatement | None) -> CreditBudget:
        """The budget from what the feed last said. Credits are renewed on the first: an earlier month says nothing."""
        month_start, month_end = _billing_period(now)
        if stated is None or stated.stated_at < month_start:
            return cls(None, month_end)
        if stated.remaining is None:
            return cls(SMALLEST_PLAN_CREDITS, now + timedelta(days=30), is_assumed=True)
        return cls(stated.remaining, month_end)


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """What a look costs: `cost` credits a poll; without a meter, a feed is asked as its `speed` allows."""

    is_metered: bool
    credits_per_poll: int = 0
    speed: float = 1.0


def unmetered_interval(speed: float) -> float:
    """Seconds of the feed's time between two looks that cost nothing: one of real time.

    The end of a tape (speed 0) is looked at once a second; infinite speed makes any wait free.
    """
    return min(max(speed, 1.0), MAX_FREE_INTERVAL_SECONDS)


def unthrottled_interval(activity: SportActivity, now: datetime) -> float:
    """Seconds between looks if credits were free."""
    return 1.0 / float(_unthrottled_rate(activity, np.array([now.timestamp()]))[0])


def compute_throttle_factor(sports: Sequence[SportActivity], now: datetime, budget: CreditBudget, cost: int) -> float:
    """By how much wanted intervals are lengthened so that the credits last to the end of the month.

    What all sports want from now to the last known start (at least a day, at most a week) is weighed against
    the even share of the credits for that time. So a quiet hour saves for a busy one of the same week, never
    for one of the next, and the spending is even over the weeks. At least 1; infinite without credits, never because
    of what is only assumed. While the credits are unknown nothing is lengthened: the burst that is due asks for them.
    """
    if budget.remaining is None:
        return 1.0
    seconds_per_credit = _seconds_per_credit(len(sports), now, budget.remaining, budget, cost)
    horizon = min(_horizon_seconds(sports, now), (budget.month_end - now).total_seconds())
    times = now.timestamp() + (np.arange(math.ceil(horizon / _STEP_SECONDS), dtype=np.float64) + 0.5) * _STEP_SECONDS
    wanted_credits_per_second = cost * math.fsum(_unthrottled_rate(s, times).mean() for s in sports)
    return max(1.0, wanted_credits_per_second * seconds_per_credit)


def first_poll_interval(failures: int, sports: int, now: datetime, budget: CreditBudget, cost: int) -> float:
    """Seconds until a sport is polled again of which nothing is known yet, as all its polls (`failures`) have failed.

    Sooner than an idle sport, as it may not be one, but no sooner than all `sports` can be polled for the rest of the
    month at an even pace: infinite without credits. Unknown credits are taken for those of the smallest plan.
    """
    remaining = SMALLEST_PLAN_CREDITS if budget.remaining is None else budget.remaining
    even = cost * sports * _seconds_per_credit(sports, now, remaining, budget, cost)
    return max(MIN_INTERVAL_SECONDS * 2.0 ** min(failures - 1, MAX_DOUBLINGS), even)


def _seconds_per_credit(sports: int, now: datetime, remaining: float, budget: CreditBudget, cost: int) -> float:
    """The even pace that leaves a poll of each sport in reserve; infinite without credits for one more."""
    reserve = cost * sports
    if remaining < reserve + cost and not budget.is_assumed:
        return math.inf
    return (budget.month_end - now).total_seconds() / max(remaining - reserve, cost)


def seconds_until_credit_check(now: datetime) -> float:
    """Seconds until the feed is asked again whether there are credits: an hour, or until they are renewed."""
    return min(CREDIT_CHECK_INTERVAL_SECONDS, (_billing_period(now)[1] - now).total_seconds())


def poll_interval(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> float:
    """Seconds of the feed's time between two looks at a sport; infinite: not before the credits are renewed.

    `lengthened` is the `compute_throttle_factor` of all sports that share the credits.
    """
    if not terms.is_metered:
        return unmetered_interval(terms.speed)
    return unthrottled_interval(activity, now) * throttle_factor


def is_sparse(interval: float, lengthened: float, budget: CreditBudget) -> bool:
    """Whether a sport is polled so seldom for want of credits, or of a word about them, that a person should know."""
    if math.isinf(interval) or lengthened <= MIN_SPARSE_RATIO:
        return False
    return (
        budget.is_assumed or interval > IDLE_INTERVAL_SECONDS or lengthened * MIN_INTERVAL_SECONDS > LAST_HOUR_SECONDS
    )


def next_poll_at(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> datetime:
    """When a sport is due: at once if it was never looked at, or nobody knows when; `datetime.max` without credits."""
    if math.isinf(interval := poll_interval(activity, now, terms, throttle_factor)):
        return datetime.max.replace(tzinfo=UTC)
    if activity.last_poll is None or is_in_future(activity.last_poll, now):
        return now
    return activity.last_poll + timedelta(seconds=interval)


def seconds_until_due(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> float:
    """How long a sport is to be left alone from `now` on, never longer than one interval; infinite without credits."""
    interval = poll_interval(activity, now, terms, throttle_factor)
    last = activity.last_poll
    if last is None or is_in_future(last, now):
        return 0.0 if math.isfinite(interval) else interval
    return min(max(interval - (now - last).total_seconds(), 0.0), interval)


def _unthrottled_rate(activity: SportActivity, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Looks a second at each time (epoch seconds)."""
    starts = np.array([-np.inf, *sorted(s.timestamp() for s in activity.starts), np.inf])
    next_start = np.searchsorted(starts, times, side="right")
    interval = np.clip(
        (starts[next_start] - times) / TIME_TO_START_DIVISOR, MIN_INTERVAL_SECONDS, IDLE_INTERVAL_SECONDS
    )
    in_play = times - starts[next_start - 1] < IN_PLAY_DURATION_SECONDS
    interval = np.where(in_play, np.minimum(interval, IN_PLAY_INTERVAL_SECONDS), interval)
    return 1.0 / np.maximum(interval / (1.0 + MOVEMENT_GAIN * activity.movement), MIN_INTERVAL_SECONDS)


def _horizon_seconds(sports: Sequence[SportActivity], now: datetime) -> float:
    last_start = max((s for sport in sports for s in sport.starts), default=now)
    return min(max((last_start - now).total_seconds(), _MIN_HORIZON_SECONDS), _MAX_HORIZON_SECONDS)


def _billing_period(now: datetime) -> tuple[datetime, datetime]:
    month_start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return month_start, (month_start + timedelta(days=32)).replace(day=1)
