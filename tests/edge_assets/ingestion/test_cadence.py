import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_assets.ingestion.cadence import (
    IDLE_INTERVAL_SECONDS,
    IN_PLAY_INTERVAL_SECONDS,
    MIN_INTERVAL_SECONDS,
    SMALLEST_PLAN_CREDITS,
    CreditBudget,
    FeedTerms,
    SportActivity,
    compute_throttle_factor,
    next_poll_at,
    poll_interval,
    seconds_until_due,
    unmetered_interval,
    unthrottled_interval,
)
from edge_assets.store.polls.credits import CreditStatement

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
METERED = FeedTerms(is_metered=True, credits_per_poll=6)
seconds = st.floats(1, 20 * 86_400)
distances = st.lists(st.floats(-5 * 3600, 10 * 86_400), max_size=6)
movements = st.floats(0, 0.5)


def starting_in(*distances: float, movement: float = 0.0) -> SportActivity:
    return SportActivity(tuple(NOW + timedelta(seconds=d) for d in distances), movement, NOW)


@given(seconds, seconds, movements)
def test_a_nearer_start_is_never_polled_less_often(a: float, b: float, movement: float) -> None:
    near, far = sorted((a, b))
    assert unthrottled_interval(starting_in(near, movement=movement), NOW) <= unthrottled_interval(
        starting_in(far, movement=movement), NOW
    )


@given(distances, movements, movements)
def test_a_moving_market_is_never_polled_less_often(ahead: list[float], a: float, b: float) -> None:
    calm, moving = sorted((a, b))
    assert unthrottled_interval(starting_in(*ahead, movement=moving), NOW) <= unthrottled_interval(
        starting_in(*ahead, movement=calm), NOW
    )


@given(distances, seconds, movements)
def test_another_event_never_slows_a_sport_down(ahead: list[float], another: float, movement: float) -> None:
    assert unthrottled_interval(starting_in(*ahead, another, movement=movement), NOW) <= unthrottled_interval(
        starting_in(*ahead, movement=movement), NOW
    )


@given(distances, movements)
def test_intervals_stay_between_the_minimum_and_the_idle_interval(ahead: list[float], movement: float) -> None:
    assert (
        MIN_INTERVAL_SECONDS
        <= unthrottled_interval(starting_in(*ahead, movement=movement), NOW)
        <= IDLE_INTERVAL_SECONDS
    )


@given(st.floats(0, 3.9 * 3600), st.integers(60, 100_000))
def test_a_started_event_is_never_starved(since: float, credits_left: int) -> None:
    started = starting_in(-since)
    assert unthrottled_interval(started, NOW) <= IN_PLAY_INTERVAL_SECONDS
    quiet = starting_in(9 * 86_400)
    throttle_factor = compute_throttle_factor(
        [started, quiet], NOW, CreditBudget(credits_left, NOW + timedelta(days=20)), METERED.credits_per_poll
    )
    assert poll_interval(started, NOW, METERED, throttle_factor) < poll_interval(quiet, NOW, METERED, throttle_factor)
    assert math.isfinite(poll_interval(started, NOW, METERED, throttle_factor))


@given(distances, st.integers(-1000, 20_000), st.integers(0, 5000))
def test_more_credits_never_mean_fewer_polls(ahead: list[float], remaining: int, more: int) -> None:
    ends = NOW + timedelta(days=20)
    poor, rich = (
        compute_throttle_factor([starting_in(*ahead)], NOW, CreditBudget(r, ends), 6)
        for r in (remaining, remaining + more)
    )
    assert 1.0 <= rich <= poor


@pytest.mark.parametrize("remaining", [-772, -60, 0, 11])
def test_no_paid_poll_without_credits_for_it_and_the_reserve(remaining: int) -> None:
    sport = starting_in(600)
    throttle_factor = compute_throttle_factor(
        [sport], NOW, CreditBudget(remaining, NOW + timedelta(days=20)), METERED.credits_per_poll
    )
    assert math.isinf(poll_interval(sport, NOW, METERED, throttle_factor))
    assert next_poll_at(sport, NOW, METERED, throttle_factor).year == datetime.max.year


@pytest.mark.untraced
@settings(max_examples=15, deadline=None)
@given(
    credits_at_start=st.sampled_from([500, 2000, 20_000]),
    hours=st.lists(st.floats(0, 30 * 24), min_size=1, max_size=25),
    listed_days=st.sampled_from([1, 4, 8]),
    first_day=st.integers(0, 20),
)
def test_the_month_is_never_overspent_and_its_last_days_still_get_polls(
    credits_at_start: int, hours: list[float], listed_days: int, first_day: int
) -> None:
    cost, begins = 6, datetime(2026, 6, 1, tzinfo=UTC)
    ends, now = datetime(2026, 7, 1, tzinfo=UTC), begins + timedelta(days=first_day)
    starts = [begins + timedelta(hours=h) for h in hours]
    remaining, last, spent_late = credits_at_start, now - timedelta(days=1), 0
    while now < ends:
        listed = tuple(s for s in starts if now - timedelta(hours=4) < s < now + timedelta(days=listed_days))
        sport = SportActivity(listed, 0.0, last)
        throttle_factor = compute_throttle_factor([sport], now, CreditBudget(remaining, ends), cost)
        if next_poll_at(sport, now, FeedTerms(is_metered=True, credits_per_poll=cost), throttle_factor) <= now:
            remaining, last = remaining - cost, now
            spent_late += (ends - now) < timedelta(days=4)
        now += timedelta(minutes=10)
    assert remaining >= 0
    assert spent_late > 0


def test_credits_are_spent_near_the_start() -> None:
    """With 500 credits and one match in three days, its last hour gets many times the polls of the first."""
    budget, match = CreditBudget(500, NOW + timedelta(days=20)), NOW + timedelta(days=3)

    def interval(now: datetime) -> float:
        sport = SportActivity((match,), 0.0, now)
        return poll_interval(
            sport, now, METERED, compute_throttle_factor([sport], now, budget, METERED.credits_per_poll)
        )

    assert interval(NOW) > 20 * interval(match - timedelta(minutes=30))


# the last hours of months, a leap day, new year, and both hours of the changes to and from daylight saving time
ODD_MOMENTS = [
    datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
    datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
    datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
]


@pytest.mark.parametrize("now", ODD_MOMENTS, ids=str)
def test_credits_are_known_only_from_this_month_s_statement(now: datetime) -> None:
    assert CreditBudget.from_statement(now, None).remaining is None
    assert CreditBudget.from_statement(now, CreditStatement(now, 77)) == CreditBudget(
        77, CreditBudget.from_statement(now, None).month_end
    )
    assert CreditBudget.from_statement(now, CreditStatement(now - timedelta(days=32), -60)).remaining is None
    assert timedelta(0) < CreditBudget.from_statement(now, None).month_end - now <= timedelta(days=31)


@pytest.mark.parametrize("now", ODD_MOMENTS, ids=str)
def test_unknown_credits_do_not_delay_polls_and_unstated_ones_count_as_the_smallest_plan(now: datetime) -> None:
    sports = [SportActivity((now + timedelta(hours=2),), 0.0, now) for _ in range(9)]
    assert compute_throttle_factor(sports, now, CreditBudget.from_statement(now, None), METERED.credits_per_poll) == 1.0
    unstated = CreditBudget.from_statement(now, CreditStatement(now, None))
    assert (unstated.remaining, unstated.is_assumed) == (SMALLEST_PLAN_CREDITS, True)
    assert 1.0 < compute_throttle_factor(sports, now, unstated, METERED.credits_per_poll) < math.inf
    assert compute_throttle_factor(sports * 20, now, unstated, METERED.credits_per_poll) < math.inf, (
        "an assumption never stops polling"
    )
    assert (
        compute_throttle_factor(
            sports, now, CreditBudget.from_statement(now, CreditStatement(now, 16)), METERED.credits_per_poll
        )
        == math.inf
    )


@given(distances, st.floats(-7200, 86_400), st.floats(1, 1e4))
def test_a_sport_waits_one_interval_at_most(ahead: list[float], since: float, throttle_factor: float) -> None:
    activity = replace(starting_in(*ahead), last_poll=NOW - timedelta(seconds=since))
    interval = poll_interval(activity, NOW, METERED, throttle_factor)
    wait = seconds_until_due(activity, NOW, METERED, throttle_factor)
    assert 0 <= wait <= interval
    assert since < 0 or wait == pytest.approx(max(interval - since, 0), abs=1e-5)
    assert seconds_until_due(replace(activity, last_poll=None), NOW, METERED, throttle_factor) == 0
    assert seconds_until_due(replace(activity, last_poll=None), NOW, METERED, math.inf) == math.inf


def test_a_sport_never_polled_is_due_at_once() -> None:
    assert next_poll_at(SportActivity(), NOW, METERED) == NOW


@pytest.mark.parametrize(
    ("speed", "expected"), [(0.0, 1.0), (1.0, 1.0), (60.0, 60.0), (3600.0, 300.0), (math.inf, 300.0)]
)
def test_an_unmetered_feed_is_polled_every_real_second(speed: float, expected: float) -> None:
    assert unmetered_interval(speed) == expected
    assert poll_interval(SportActivity(), NOW, FeedTerms(is_metered=False, speed=speed)) == expected


@given(distances, movements, st.floats(61, 86_400))
def test_a_poll_in_the_future_does_not_count(ahead: list[float], movement: float, by: float) -> None:
    """The clock was set back: waiting for it to catch up would stop polling for as long."""
    activity = replace(starting_in(*ahead, movement=movement), last_poll=NOW + timedelta(seconds=by))
    assert next_poll_at(activity, NOW, METERED) == NOW
    assert seconds_until_due(activity, NOW, METERED) == 0.0


def test_after_the_month_of_the_budget_nothing_is_throttled_by_it() -> None:
    """A burst goes on over the month's end with the credits stated before it."""
    ended = CreditBudget(0, NOW)
    for now in (NOW, NOW + timedelta(minutes=2)):
        assert compute_throttle_factor([starting_in(3_600)], now, ended, 6) == 1.0
    assert compute_throttle_factor([starting_in(3_600)], NOW - timedelta(seconds=1), ended, 6) == math.inf
