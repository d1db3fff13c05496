"""What the sensor writes at every tick, so that others can see what is late."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.health.assessment import SENSOR, planned_intervals
from edge_assets.ingestion.cadence import CreditBudget, FeedTerms, SportActivity
from edge_assets.ingestion.planning import SportState
from edge_assets.ingestion.sensor_heartbeat import build_heartbeat_detail, write_sensor_heartbeat
from edge_assets.ingestion.sensor_state import SensorState
from edge_assets.store.health.problems import ProblemKind, load_heartbeats, load_problems, report_problem
from edge_assets.store.polls.credits import CreditStatement
from edge_assets.store.postgres.database import connect

NFL = "americanfootball_nfl"
NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
MONTH_ENDS = datetime(2026, 4, 1, tzinfo=UTC)
LIVE = Settings(edge_feed=Feed.ODDS_API, edge_sports=(NFL,))


def sensor_state(remaining: float | None, *, metered: bool = True) -> SensorState:
    near = SportActivity(starts=(NOW + timedelta(hours=1),), last_poll=NOW)
    return SensorState([SportState(NFL, near)], FeedTerms(metered, 6), CreditBudget(remaining, MONTH_ENDS))


def test_the_interval_of_each_sport_is_reported() -> None:
    reported = build_heartbeat_detail(LIVE, NOW, sensor_state(1_000_000))
    assert reported["intervals_s"] == {NFL: pytest.approx(60.0, abs=1)}
    assert reported["no_credits_until"] is None


def test_without_credits_nothing_is_planned_until_they_are_renewed() -> None:
    reported = build_heartbeat_detail(LIVE, NOW, sensor_state(0))
    assert reported == {
        "intervals_s": {NFL: None},
        "sparse_s": {},
        "credits_remaining": 0,
        "no_credits_until": MONTH_ENDS.isoformat(),
    }


def test_intervals_stretched_too_far_for_lack_of_credits_are_reported() -> None:
    few = build_heartbeat_detail(LIVE, NOW, sensor_state(13))["sparse_s"]
    assert few.keys() == {NFL}
    assert few[NFL][0] > 3600
    assert few[NFL][1] == pytest.approx(60.0, abs=1)
    assert build_heartbeat_detail(LIVE, NOW, sensor_state(1_000_000))["sparse_s"] == {}
    unsaid = replace(sensor_state(0), budget=CreditBudget.from_statement(NOW, CreditStatement(NOW, None)))
    reported = build_heartbeat_detail(LIVE, NOW, unsaid)
    assert (reported["sparse_s"].keys(), reported["credits_remaining"]) == ({NFL}, None)


def test_a_recording_has_no_intervals_in_real_time() -> None:
    replayed = Settings(edge_feed=Feed.REPLAY, edge_sports=(NFL,))
    assert build_heartbeat_detail(replayed, NOW, sensor_state(None, metered=False))["intervals_s"] == {NFL: None}


def test_the_heartbeat_is_written_or_skipped_without_a_database(database_url: str) -> None:
    settings = LIVE.model_copy(update={"database_url": database_url})
    write_sensor_heartbeat(settings, NOW, sensor_state(1_000_000))
    with closing(connect(database_url, "test")) as conn:
        assert planned_intervals(load_heartbeats(conn)).keys() == {NFL}
        write_sensor_heartbeat(settings, NOW, None, unavailable_reason="ODDS_API_KEY is not set")
        assert load_heartbeats(conn)[SENSOR].detail == {"unavailable_reason": "ODDS_API_KEY is not set"}
    write_sensor_heartbeat(LIVE.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/x"}), NOW, None)


def test_problems_of_sports_no_longer_polled_are_cleared(database_url: str) -> None:
    unusable, jumped = ProblemKind.FEED_ANSWER_UNUSABLE, ProblemKind.CLOCK_CHANGED
    stays = [(unusable, NFL), (jumped, ""), (ProblemKind.SCORING_FAILS, "cricket")]
    with closing(connect(database_url, "test")) as conn:
        for kind, subject in [*stays, (unusable, "cricket"), (jumped, "cricket")]:
            report_problem(conn, kind, subject, "-")
        write_sensor_heartbeat(LIVE.model_copy(update={"database_url": database_url}), NOW, sensor_state(1_000_000))
        assert {(problem.kind, problem.subject) for problem in load_problems(conn)} == set(stays)
