"""How often to poll a sport: more often near starts and while prices move, as far as the credits allow.

Pure: facts in, seconds out. All times are the feed's.
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
"""The feed refreshes featured odds every 60 s before a start; polling faster buys the same prices again."""
IDLE_INTERVAL_SECONDS = 6 * 3600.0
"""For a sport without a start in sight: often enough to notice a new one."""
TIME_TO_START_DIVISOR = 60
"""The interval is a sixtieth of the time to the start: a minute in the last hour, 24 minutes a day before."""
IN_PLAY_INTERVAL_SECONDS = 300.0
"""Nothing is alerted in play, but the prices of open markets are still recorded."""
IN_PLAY_DURATION_SECONDS = 4 * 3600.0
MOVEMENT_GAIN = 100.0
"""A market in which 1% of the quotes change in a minute is polled twice as often (the recorded NFL week: 0.2%)."""

MAX_FREE_INTERVAL_SECONDS = 300.0
"""Historical feeds keep a snapshot every 5 minutes: a fast replay with longer intervals skips some."""

SMALLEST_PLAN_CREDITS = 500
"""A month of the provider's smallest plan: assumed where a feed counts credits but does not state what is left."""
_MAX_HORIZON_SECONDS = 7 * 86_400.0
_MIN_HORIZON_SECONDS = 86_400.0
_STEP_SECONDS = 900.0

MIN_SPARSE_RATIO = 4.0
"""Intervals stretched by more than this for lack of credits are reported if they exceed `IDLE_INTERVAL_SECONDS` or if
the credits are only assumed."""
LAST_HOUR_SECONDS = 3600.0
"""Before a start, when prices move most: it is reported if not even one poll falls into it."""
CREDIT_CHECK_INTERVAL_SECONDS = 3600.0
"""A larger plan is noticed within an hour of buying it: asking for the credits left is free."""
MAX_CLOCK_DIFFERENCE = timedelta(seconds=60)
"""A timestamp further ahead of now was written by a clock that has been set back since, and is ignored."""


def is_in_future(at: datetime, now: datetime) -> bool:
    """Whether a timestamp that should be past comes from a wrong clock."""
    return at > now + MAX_CLOCK_DIFFERENCE


@dataclass(frozen=True, slots=True)
class SportActivity:
    """What is known of a sport: listed starts, share of its quotes that change per minute, and its last poll.

    The last poll is in wall-clock time, by which only metered feeds are scheduled.
    """

    starts: tuple[datetime, ...] = ()
    movement: float = 0.0
    last_poll: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreditBudget:
    """Credits for the rest of the month.

    `remaining` may be negative, as the feed reports it. None: unknown, since the feed has not been asked this month
    (asking is free). `is_assumed`: the feed does not state it, so the smallest plan is spent evenly.
    """

    remaining: float | None
    month_end: datetime
    is_assumed: bool = False

    @classmethod
    def from_statement(cls, now: datetime, stated: CreditStatement | None) -> CreditBudget:
        """The budget from the feed's last statement. Credits renew on the first, so earlier statements do not count."""
        month_start, month_end = _billing_period(now)
        if stated is None or stated.stated_at < month_start:
            return cls(None, month_end)
        if stated.remaining is None:
            return cls(SMALLEST_PLAN_CREDITS, now + timedelta(days=30), is_assumed=True)
        return cls(stated.remaining, month_end)


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """What polling costs: `credits_per_poll`; an unmetered feed is polled as fast as its `speed` allows."""

    is_metered: bool
    credits_per_poll: int = 0
    speed: float = 1.0


def unmetered_interval(speed: float) -> float:
    """Seconds of the feed's time between two free polls: one second of real time.

    An ended recording (speed 0) is polled once a second; at infinite speed any wait is free.
    """
    return min(max(speed, 1.0), MAX_FREE_INTERVAL_SECONDS)


def unthrottled_interval(activity: SportActivity, now: datetime) -> float:
    """Seconds between polls if credits were free."""
    return 1.0 / float(_unthrottled_rate(activity, np.array([now.timestamp()]))[0])


def compute_throttle_factor(sports: Sequence[SportActivity], now: datetime, budget: CreditBudget, cost: int) -> float:
    """The factor by which intervals are stretched so that the credits last until the end of the month.

    The credits that all sports would use from now to the last known start (at least a day, at most a week) are compared
    with the even share of the credits for that time. A quiet hour thus saves for a busy one of the same week, never for
    the next week. At least 1; infinite without credits, unless they are only assumed. While the credits are unknown, or
    after the month for which they were stated, the factor is 1: the next burst asks for them.
    """
    if budget.remaining is None or now >= budget.month_end:
        return 1.0
    seconds_per_credit = _seconds_per_credit(len(sports), now, budget.remaining, budget, cost)
    horizon = min(_horizon_seconds(sports, now), (budget.month_end - now).total_seconds())
    times = now.timestamp() + (np.arange(math.ceil(horizon / _STEP_SECONDS), dtype=np.float64) + 0.5) * _STEP_SECONDS
    wanted_credits_per_second = cost * math.fsum(_unthrottled_rate(s, times).mean() for s in sports)
    return max(1.0, wanted_credits_per_second * seconds_per_credit)


def first_poll_interval(failures: int, sports: int, now: datetime, budget: CreditBudget, cost: int) -> float:
    """Seconds until the next poll of a sport of which nothing is known, since all its polls (`failures`) have failed.

    Sooner than for an idle sport, but never sooner than all `sports` can be polled evenly for the rest of the month:
    infinite without credits. Unknown credits count as those of the smallest plan.
    """
    remaining = SMALLEST_PLAN_CREDITS if budget.remaining is None else budget.remaining
    even = cost * sports * _seconds_per_credit(sports, now, remaining, budget, cost)
    return max(MIN_INTERVAL_SECONDS * 2.0 ** min(failures - 1, MAX_DOUBLINGS), even)


def _seconds_per_credit(sports: int, now: datetime, remaining: float, budget: CreditBudget, cost: int) -> float:
    """Seconds per credit at an even pace, with one poll of each sport in reserve; infinite if none is left to spend."""
    reserve = cost * sports
    if remaining < reserve + cost and not budget.is_assumed:
        return math.inf
    return (budget.month_end - now).total_seconds() / max(remaining - reserve, cost)


def seconds_until_credit_check(now: datetime) -> float:
    """Seconds until the feed is asked for credits again: an hour, or until they are renewed."""
    return min(CREDIT_CHECK_INTERVAL_SECONDS, (_billing_period(now)[1] - now).total_seconds())


def poll_interval(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> float:
    """Seconds of the feed's time between two polls of a sport; infinite: not before the credits are renewed.

    `throttle_factor` is the `compute_throttle_factor` of all sports that share the credits.
    """
    if not terms.is_metered:
        return unmetered_interval(terms.speed)
    return unthrottled_interval(activity, now) * throttle_factor


def is_sparse(interval: float, throttle_factor: float, budget: CreditBudget) -> bool:
    """Whether a sport is polled so rarely, for lack of credits or of information on them, that it should be
    reported.
    """
    if math.isinf(interval) or throttle_factor <= MIN_SPARSE_RATIO:
        return False
    return (
        budget.is_assumed
        or interval > IDLE_INTERVAL_SECONDS
        or throttle_factor * MIN_INTERVAL_SECONDS > LAST_HOUR_SECONDS
    )


def next_poll_at(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> datetime:
    """When a sport is due: now if it was never polled or the last poll's time is unusable; `datetime.max` without
    credits.
    """
    if math.isinf(interval := poll_interval(activity, now, terms, throttle_factor)):
        return datetime.max.replace(tzinfo=UTC)
    if activity.last_poll is None or is_in_future(activity.last_poll, now):
        return now
    return activity.last_poll + timedelta(seconds=interval)


def seconds_until_due(activity: SportActivity, now: datetime, terms: FeedTerms, throttle_factor: float = 1.0) -> float:
    """Seconds to wait from `now` on, never more than one interval; infinite without credits."""
    interval = poll_interval(activity, now, terms, throttle_factor)
    last = activity.last_poll
    if last is None or is_in_future(last, now):
        return 0.0 if math.isfinite(interval) else interval
    return min(max(interval - (now - last).total_seconds(), 0.0), interval)


def _unthrottled_rate(activity: SportActivity, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polls per second at each time (epoch seconds)."""
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
