"""Whatever is killed in the middle of a burst, database and stream end up as in an undisturbed run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.core.settings import Feed, MissingSettingError, Settings
from edge_assets.ingestion.burst import BurstRequest, run_burst
from edge_assets.ingestion.planning import SkipBurst, plan_burst
from edge_assets.ingestion.sensor_state import load_sensor_state
from tests.support.replayed_feed import (
    BEGINS,
    EPL,
    NFL,
    Feeding,
    outright,
    read_stream,
    rows,
    serving,
    settings_for,
    ticks,
    write_recording,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.ingestion.report import SportReport
    from tests.support.servers.postgres import PostgresServer
    from tests.support.servers.valkey import ValkeyServer

POLLS = 20
ENDS = BEGINS + timedelta(minutes=POLLS - 1, seconds=10)
KILL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'edge-burst r1%' AND datname = current_database()"""


def request_for(run: str, *sports: str) -> BurstRequest:
    """A request that lasts as long as the test."""
    return BurstRequest(run, sports or (NFL, EPL), duration_seconds=60.0, grace_seconds=0.0)


async def hand_over_at_the_end(
    database_url: str, run: asyncio.Task[list[SportReport]], sport: str = EPL
) -> list[SportReport]:
    """Wait for the last capture of the recording, then claim the leases as a successor would."""
    last = f"SELECT max(observed_at) FROM polls JOIN sports s ON s.id = sport_id WHERE key = '{sport}'"
    while rows(database_url, last) != [(ENDS,)]:
        assert not run.done(), run
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    while not run.done():
        rows(database_url, "UPDATE leases SET claimed_by = 'test', claimed_at = clock_timestamp() RETURNING 1")
        await asyncio.sleep(0.1)
    return await run


async def play(run: str, settings: Settings, *sports: str) -> list[SportReport]:
    """A burst over the whole recording."""
    task = asyncio.ensure_future(run_burst(request_for(run, *sports), settings))
    return await hand_over_at_the_end(settings.require_database_url(), task)


def assert_streamed_once_in_order(database_url: str, redis_url: str) -> None:
    """While a stepping replay waits for one sport it may repeat another's response, later and unchanged."""
    for sport in (NFL, EPL):
        polls = rows(
            database_url,
            f"SELECT p.id FROM polls p JOIN sports s ON s.id = sport_id WHERE key = '{sport}' ORDER BY 1",
        )
        assert [poll for key, poll in read_stream(redis_url) if key == sport] == [poll for (poll,) in polls]
        assert len(polls) >= POLLS
    assert rows(database_url, "SELECT count(*) FROM poll_outbox") == [(0,)]


@pytest.fixture(scope="module")
def undisturbed_run(
    postgres_server: PostgresServer,
    migrated_template: str,
    redis_server: ValkeyServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[tuple[Any, ...]]:
    """The ticks of an undisturbed run."""
    recording = write_recording(tmp_path_factory.mktemp("undisturbed"))
    with postgres_server.clone_of(migrated_template) as url, serving(recording) as feed:
        asyncio.run(play("quiet", settings_for(url, redis_server.url, feed.url)))
        return ticks(url)


async def test_a_burst_stores_and_publishes_every_capture_of_a_recording(
    database_url: str, redis_url: str, feed: Feeding
) -> None:
    reports = await play("r1", settings_for(database_url, redis_url, feed.url))
    assert_streamed_once_in_order(database_url, redis_url)
    assert [r.sport for r in reports] == [NFL, EPL]
    for report in reports:
        metadata = report.to_metadata()
        assert metadata["polls"] == report.polls >= POLLS
        assert metadata["rows"] == report.rows == int(metadata["changed"]) + report.withdrawals > 0
        assert report.repeats > 0, "the end of the recording is polled but not stored"
        assert report.failure is None
        assert 0 < float(metadata["latency_p50_ms"]) <= float(metadata["latency_p95_ms"])
    assert rows(database_url, "SELECT count(*) FROM payloads") == [(sum(r.polls for r in reports),)]
    assert rows(database_url, "SELECT DISTINCT feed, run_id FROM polls") == [("replay", "r1")]
    assert {r[0]: r[1] for r in rows(database_url, "SELECT key, title FROM sports")}[NFL] == "NFL"


async def test_a_sport_with_outrights_only_is_polled_for_them_and_delays_no_other(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    recording, golf = write_recording(tmp_path / "recording"), "golf_masters_tournament_winner"
    (recording / f"{golf}_{BEGINS:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps([outright(golf)]))
    with serving(recording) as feed:
        reports = await play("r1", settings_for(database_url, redis_url, feed.url, NFL, EPL, golf), NFL, EPL, golf)
    assert [report.failure for report in reports] == [None] * 3
    assert reports[2].polls == 1
    assert {sport for sport, *_ in ticks(database_url)} == {NFL, EPL, golf}


async def test_a_second_burst_on_the_same_recording_stores_nothing(
    database_url: str, redis_url: str, feed: Feeding, tmp_path: Path
) -> None:
    await play("r1", settings_for(database_url, redis_url, feed.url))
    before = ticks(database_url)
    with serving(write_recording(tmp_path / "again")) as again:
        reports = await play("r2", settings_for(database_url, redis_url, again.url))
    assert ticks(database_url) == before
    assert [r.polls for r in reports] == [0, 0], "the acknowledgement moves a restarted server past the last capture"


async def test_a_terminated_connection_changes_nothing(
    database_url: str, redis_url: str, feed: Feeding, undisturbed_run: list[tuple[Any, ...]]
) -> None:
    feed.faults(slow_seconds=0.05)
    run = asyncio.ensure_future(run_burst(request_for("r1"), settings_for(database_url, redis_url, feed.url)))
    killed = 0
    for _ in range(4):
        await asyncio.sleep(0.5)
        killed += len(rows(database_url, KILL))
    reports = await hand_over_at_the_end(database_url, run)
    assert killed >= 4
    assert ticks(database_url) == undisturbed_run
    assert_streamed_once_in_order(database_url, redis_url)
    assert [r.failure for r in reports] == [None, None]


async def test_polling_goes_on_while_the_stream_is_down(
    database_url: str, feed: Feeding, undisturbed_run: list[tuple[Any, ...]], own_redis: ValkeyServer
) -> None:
    feed.faults(slow_seconds=0.05)
    run = asyncio.ensure_future(run_burst(request_for("r1"), settings_for(database_url, own_redis.url, feed.url)))
    await asyncio.sleep(1)
    own_redis.process.kill()
    before = rows(database_url, "SELECT count(*) FROM polls")
    await asyncio.sleep(1)
    assert rows(database_url, "SELECT count(*) FROM polls") > before
    own_redis.process.start()
    reports = await hand_over_at_the_end(database_url, run)
    assert ticks(database_url) == undisturbed_run
    assert_streamed_once_in_order(database_url, own_redis.url)
    assert sum(report.errors["ConnectionError"] for report in reports) > 0


async def test_the_next_burst_publishes_what_one_could_not(database_url: str, redis_url: str, feed: Feeding) -> None:
    nowhere = settings_for(database_url, "redis://127.0.0.1:1", feed.url)
    await play("r1", nowhere)
    assert read_stream(redis_url) == []
    await play("r2", settings_for(database_url, redis_url, feed.url))
    assert_streamed_once_in_order(database_url, redis_url)


async def test_two_overlapping_bursts_hand_over_without_a_lost_or_double_poll(
    database_url: str, redis_url: str, feed: Feeding, undisturbed_run: list[tuple[Any, ...]]
) -> None:
    settings = settings_for(database_url, redis_url, feed.url)
    feed.faults(slow_seconds=0.05)
    first = asyncio.ensure_future(run_burst(request_for("r1"), settings))
    await asyncio.sleep(0.8)
    second = asyncio.ensure_future(run_burst(request_for("r2"), settings))
    reports = await first
    assert [r.end_reason for r in reports] == ["handed over to r2"] * 2
    await hand_over_at_the_end(database_url, second)
    assert ticks(database_url) == undisturbed_run
    assert_streamed_once_in_order(database_url, redis_url)
    assert {run for (run,) in rows(database_url, "SELECT DISTINCT run_id FROM polls")} == {"r1", "r2"}


async def test_a_cancelled_burst_ends_between_two_polls(
    database_url: str, redis_url: str, feed: Feeding, undisturbed_run: list[tuple[Any, ...]]
) -> None:
    settings = settings_for(database_url, redis_url, feed.url)
    feed.faults(slow_seconds=0.05)
    handler = signal.getsignal(signal.SIGTERM)
    first = asyncio.ensure_future(run_burst(request_for("r1"), settings))
    await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(30):
        reports = await first
    assert [(r.end_reason, r.failure) for r in reports] == [("the run was cancelled", None)] * 2
    assert signal.getsignal(signal.SIGTERM) is handler
    assert rows(database_url, "SELECT count(*) FROM poll_outbox") == [(0,)]
    await play("r2", settings)
    assert ticks(database_url) == undisturbed_run


async def test_a_refused_sport_never_stops_the_others(database_url: str, redis_url: str, feed: Feeding) -> None:
    settings = settings_for(database_url, redis_url, feed.url, NFL, "cricket_moon", EPL)
    reports = await play("r1", settings, NFL, "cricket_moon", EPL)
    assert [r.polls >= POLLS for r in reports] == [True, False, True]
    assert reports[1].failure is not None
    assert "UNKNOWN_SPORT" in reports[1].failure
    assert reports[1].errors == {"UnknownSportError": 1}, "a refused request is not repeated"


async def test_without_credits_the_sport_ends_with_the_reason(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with serving(write_recording(tmp_path / "recording"), credits_per_month=30) as feed:
        settings = settings_for(database_url, redis_url, feed.url)
        [report] = await run_burst(BurstRequest("r1", (NFL,), 5.0, 0.0), settings)  # time enough on a busy machine
    assert report.polls > 0
    assert report.failure is not None
    assert "OUT_OF_USAGE_CREDITS" in report.failure
    assert report.credits_remaining is not None


@pytest.mark.calendar
async def test_a_metered_sport_is_released_until_its_next_poll(
    database_url: str, redis_url: str, feed: Feeding
) -> None:
    """The real feed's intervals, on the replay's API: a run must not wait for hours."""
    settings = settings_for(database_url, redis_url, feed.url, NFL).model_copy(update={"edge_feed": Feed.ODDS_API})
    [report] = await run_burst(BurstRequest("r1", (NFL,), 5.0, 0.0), settings)
    assert report.polls == 1
    assert report.end_reason.startswith("next poll in ")
    assert report.credits_used == len(settings.edge_regions) * len(settings.edge_markets)
    now = datetime.now(UTC)
    facts = load_sensor_state(settings, now)
    assert facts.budget.remaining == report.credits_remaining
    decision = plan_burst(now, facts.sports, [], facts.terms, facts.budget)
    assert isinstance(decision, SkipBurst)
    assert decision.reason.startswith(f"next due: {NFL} at ")


@pytest.mark.parametrize(
    ("plan", "polls", "ended"), [(20_000, 1, "next poll in "), (5, 0, "no credits left this month")]
)
@pytest.mark.calendar
async def test_credits_are_requested_before_they_are_spent(
    database_url: str, redis_url: str, tmp_path: Path, plan: int, polls: int, ended: str
) -> None:
    """An empty database plans with what the feed states for free, and stores it for the sensor."""
    with serving(write_recording(tmp_path / "recording"), credits_per_month=plan) as feed:
        settings = settings_for(database_url, redis_url, feed.url, NFL).model_copy(update={"edge_feed": Feed.ODDS_API})
        now = datetime.now(UTC)
        assert load_sensor_state(settings, now).budget.remaining is None
        [report] = await run_burst(BurstRequest("r1", (NFL,), 5.0, 0.0), settings)
    assert (report.polls, report.failure) == (polls, None)
    assert report.end_reason.startswith(ended)
    assert rows(database_url, "SELECT feed, remaining FROM credit_statements") == [("odds-api", plan)]
    facts = load_sensor_state(settings, datetime.now(UTC))
    assert facts.budget.remaining == plan - (report.credits_used or 0)
    decision = plan_burst(datetime.now(UTC), facts.sports, [], facts.terms, facts.budget)
    assert isinstance(decision, SkipBurst)


@pytest.mark.calendar
async def test_a_feed_that_states_no_credits_is_polled_as_on_the_smallest_plan(
    database_url: str, redis_url: str, feed: Feeding
) -> None:
    feed.faults(missing_headers=True)
    settings = settings_for(database_url, redis_url, feed.url, NFL).model_copy(update={"edge_feed": Feed.ODDS_API})
    [report] = await run_burst(BurstRequest("r1", (NFL,), 5.0, 0.0), settings)
    assert report.polls == 1
    assert rows(database_url, "SELECT remaining FROM credit_statements") == [(None,)]
    budget = load_sensor_state(settings, datetime.now(UTC)).budget
    assert budget.is_assumed


async def test_missing_settings_are_named() -> None:
    with pytest.raises(MissingSettingError, match="DATABASE_URL"):
        await run_burst(request_for("r1"), Settings(database_url=None))
