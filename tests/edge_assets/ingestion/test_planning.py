from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge_assets.ingestion.cadence import CreditBudget, FeedTerms, SportActivity
from edge_assets.ingestion.planning import Burst, BurstPlan, FailedRuns, LeaseStatus, SkipBurst, SportState, plan_burst

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FREE, METERED = FeedTerms(is_metered=False), FeedTerms(is_metered=True, credits_per_poll=6)
BUDGET = CreditBudget(10_000, datetime(2026, 4, 1, tzinfo=UTC))
SPORTS = ("nba", "nfl", "nhl")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def leased_sport(
    sport: str, run: str, *, live: bool = True, beat: float = 1, left: float = 200, by: str | None = None
) -> SportState:
    lease = LeaseStatus(run, live, ago(beat), NOW + timedelta(seconds=left), by)
    return SportState(sport, SportActivity((), 0.0, ago(1)), lease)


def burst(run: str, *sports: str, age: float = 100) -> Burst:
    return Burst(run, frozenset(sports), ago(age))


def plan(sports: list[SportState], bursts: list[Burst], terms: FeedTerms = FREE) -> BurstPlan | SkipBurst:
    return plan_burst(NOW, sports, bursts, terms, BUDGET)


def test_sports_never_polled_are_due() -> None:
    for terms in (FREE, METERED):
        assert plan([SportState(s) for s in SPORTS], [], terms) == BurstPlan(SPORTS, "due: nba, nfl, nhl")


def test_a_held_sport_needs_no_burst() -> None:
    skip = plan([leased_sport("nfl", "aaaaaaaa-1")], [burst("aaaaaaaa-1", "nfl")])
    assert skip == SkipBurst("nfl: held by burst aaaaaaaa")


def test_a_queued_or_starting_burst_is_waited_for() -> None:
    assert plan([SportState("nfl")], [burst("bbbbbbbb", "nfl", age=3)]) == SkipBurst("nfl: burst bbbbbbbb is starting")


def test_near_its_end_a_burst_gets_one_successor() -> None:
    near_end = leased_sport("nfl", "a", left=-1)
    assert plan([near_end], [burst("a", "nfl", age=280)]) == BurstPlan(("nfl",), "due: nfl")
    launched = [burst("a", "nfl", age=280), burst("b", "nfl", age=2)]
    assert plan([near_end], launched) == SkipBurst("nfl: burst b is starting")
    claimed = leased_sport("nfl", "a", left=-30, by="b")
    assert plan([claimed], [burst("a", "nfl", age=310), burst("b", "nfl", age=70)]) == SkipBurst(
        "nfl: burst b is taking over"
    )


def test_a_claim_by_a_run_that_ended_does_not_block_the_sport() -> None:
    assert isinstance(plan([leased_sport("nfl", "a", left=-30, by="gone")], [burst("a", "nfl", age=310)]), BurstPlan)


def test_a_dead_burst_is_replaced_at_once_and_marked_after_its_silence() -> None:
    just_died = leased_sport("nfl", "a", live=False, beat=4)
    assert plan([just_died], [burst("a", "nfl")]) == BurstPlan(("nfl",), "due: nfl")
    silent = leased_sport("nfl", "a", live=False, beat=40)
    assert plan([silent], [burst("a", "nfl")]) == BurstPlan(("nfl",), "due: nfl", dead_runs=("a",))


def test_a_burst_that_died_early_is_replaced_as_quickly() -> None:
    died = leased_sport("nfl", "a", live=False, beat=40)
    assert plan([died], [burst("a", "nfl", age=50)]) == BurstPlan(("nfl",), "due: nfl", dead_runs=("a",))


def test_a_burst_that_holds_one_of_its_sports_is_alive() -> None:
    states = [leased_sport("nfl", "a"), SportState("nba", SportActivity((), 0.0, ago(60)))]
    decision = plan(states, [burst("a", "nfl", "nba")])
    assert decision == BurstPlan(("nba",), "due: nba")


def test_a_slow_process_is_waited_for_as_long_as_it_lives() -> None:
    """With twenty busy programs the import alone takes minutes: another attempt would only add to the load."""
    slow = replace(burst("a", "nfl", age=900), has_process=True)
    assert plan([SportState("nfl")], [slow]) == SkipBurst("nfl: burst a is starting")
    gone = replace(slow, has_process=False)
    assert plan([SportState("nfl")], [gone]) == BurstPlan(("nfl",), "due: nfl", dead_runs=("a",))
    assert plan([SportState("nfl")], [replace(gone, since=ago(5))]) == SkipBurst("nfl: burst a is starting")


def test_a_started_process_blocks_no_other_sport() -> None:
    states = [leased_sport("nfl", "a"), SportState("nba")]
    assert plan(states, [replace(burst("a", "nfl", "nba", age=200), has_process=True)]) == BurstPlan(
        ("nba",), "due: nba"
    )


def test_a_process_that_has_handed_over_does_not_block_its_successor() -> None:
    """By then another run holds its lease, while its process still takes a moment to end."""
    done = replace(burst("a", "nfl", age=320), has_process=True, is_at_work=True)
    near_end = leased_sport("nfl", "b", left=-1)
    assert plan([near_end], [done, burst("b", "nfl", age=290)]) == BurstPlan(("nfl",), "due: nfl")


def test_a_silent_live_process_is_not_marked_dead() -> None:
    silent = leased_sport("nfl", "a", live=False, beat=400)
    alive = replace(burst("a", "nfl", age=500), has_process=True)
    assert plan([silent], [alive]) == BurstPlan(("nfl",), "due: nfl")


def test_the_startup_timeout_grows_with_failed_runs() -> None:
    unknown = burst("c", "nfl", age=100)
    assert plan([SportState("nfl")], [unknown]) == BurstPlan(("nfl",), "due: nfl", dead_runs=("c",))
    failed = FailedRuns(1, ago(100))
    assert plan_burst(NOW, [SportState("nfl")], [unknown], FREE, BUDGET, failed) == SkipBurst(
        "nfl: burst c is starting"
    )


def test_runs_that_fail_are_replaced_less_and_less_often() -> None:
    assert isinstance(plan_burst(NOW, [SportState("nfl")], [], FREE, BUDGET, FailedRuns(1, NOW)), BurstPlan)
    waits = []
    for count in range(2, 12):
        skip = plan_burst(NOW, [SportState("nfl")], [], FREE, BUDGET, FailedRuns(count, NOW))
        assert isinstance(skip, SkipBurst)
        assert skip.reason.startswith(f"{count} runs failed at startup; next attempt at ")
        waits.append(FailedRuns(count, NOW).next_start_at(NOW) - NOW)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=10), timedelta(minutes=5))
    ahead = FailedRuns(9, NOW + timedelta(hours=1))
    assert isinstance(plan_burst(NOW, [SportState("nfl")], [], FREE, BUDGET, ahead), BurstPlan), "a clock set back"


def test_a_sport_with_failed_polls_waits_and_the_others_do_not() -> None:
    failing = SportState("nfl", retry_at=NOW + timedelta(seconds=40))
    for terms in (FREE, METERED):
        assert plan([failing], [], terms) == SkipBurst("next due: nfl at 2026-03-10 12:00:40 UTC")
        assert plan([failing, SportState("nba")], [], terms) == BurstPlan(("nba",), "due: nba")


def test_setting_the_clock_back_by_an_hour_does_not_stop_polling() -> None:
    """Every stored timestamp is an hour ahead of now."""
    ahead = NOW + timedelta(hours=1)
    polled = SportState("nfl", SportActivity((NOW + timedelta(hours=3),), 0.0, ahead))
    assert plan([polled], [], METERED) == BurstPlan(("nfl",), "due: nfl")
    left_behind = replace(polled, lease=LeaseStatus("a", False, ahead, ahead))
    died = Burst("a", frozenset({"nfl"}), ahead)
    assert plan([left_behind], [died], METERED) == BurstPlan(("nfl",), "due: nfl", dead_runs=("a",))
    assert plan([polled], [died], METERED) == BurstPlan(("nfl",), "due: nfl", dead_runs=("a",))


def test_a_metered_sport_waits_and_the_reason_states_until_when() -> None:
    state = SportState("nfl", SportActivity((NOW + timedelta(days=1),), 0.0, ago(60)))
    skip = plan([state], [], METERED)
    assert isinstance(skip, SkipBurst)
    assert skip.reason.startswith("next due: nfl at 2026-03-10 1")


def test_missing_credits_are_the_reason() -> None:
    state = SportState("nfl", SportActivity((NOW + timedelta(hours=1),), 0.0, ago(600)))
    spent = CreditBudget(-60, BUDGET.month_end)
    asks = plan_burst(NOW, [state], [], METERED, spent)
    assert asks == BurstPlan(("nfl",), "due: nfl"), "asking the feed for credits is free"
    put_off = replace(state, retry_at=NOW + timedelta(hours=1))
    skip = plan_burst(NOW, [put_off], [], METERED, spent)
    assert skip == SkipBurst("no credits left (-60) before 2026-04-01; next check at 13:00 UTC")


def test_no_sports_need_no_burst() -> None:
    assert plan([], []) == SkipBurst("no sports are configured (EDGE_SPORTS)")


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[SportState], list[Burst]]:
    runs = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4))
    bursts = [
        burst(r, *sorted(draw(st.sets(st.sampled_from(SPORTS)))), age=draw(st.sampled_from([1, 100]))) for r in runs
    ]
    states = []
    for sport in SPORTS:
        if draw(st.booleans()) and runs:
            live: bool = draw(st.booleans())
            left = draw(st.sampled_from([-10, 100]))
            beat, by = draw(st.sampled_from([1, 100])), draw(st.none() | st.sampled_from(runs))
            states.append(leased_sport(sport, draw(st.sampled_from(runs)), live=live, left=left, beat=beat, by=by))
        else:
            states.append(SportState(sport))
    return states, bursts


@given(situations())
def test_plans_cover_every_sport_in_any_situation(situation: tuple[list[SportState], list[Burst]]) -> None:
    states, bursts = situation
    decision = plan_burst(NOW, states, bursts, FREE, BUDGET)
    planned = decision.sports if isinstance(decision, BurstPlan) else ()
    for state in states:
        held = state.lease is not None and state.lease.is_live and state.lease.handover_at > NOW
        awaited = any(state.sport in b.sports and b.since > ago(60) for b in bursts)
        claimed = state.lease is not None and state.lease.is_live and state.lease.claimed_by is not None
        if held:
            assert state.sport not in planned
        if not (held or awaited or claimed):
            assert state.sport in planned, "no burst polls it and none was requested"
        if state.lease is not None and state.lease.is_live:
            assert state.lease.run_id not in decision.dead_runs
