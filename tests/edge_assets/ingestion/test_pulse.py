"""What the sensor leaves at every tick, so that others can tell what is late."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge_assets.health.assessment import SENSOR, planned_intervals
from edge_assets.ingestion.cadence import Budget, FeedTerms, SportActivity
from edge_assets.ingestion.facts import Facts
from edge_assets.ingestion.planning import SportState
from edge_assets.ingestion.pulse import planned, show_pulse
from edge_assets.settings import Feed, Settings
from edge_assets.store.credits import CreditStatement
from edge_assets.store.database import connect
from edge_assets.store.problems import ProblemKind, read_heartbeats, read_problems, report_problem

NFL = "americanfootball_nfl"
NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
MONTH_ENDS = datetime(2026, 4, 1, tzinfo=UTC)
LIVE = Settings(edge_feed=Feed.ODDS_API, edge_sports=(NFL,))


def facts(remaining: float | None, *, metered: bool = True) -> Facts:
    near = SportActivity(starts=(NOW + timedelta(hours=1),), last_poll=NOW)
    return Facts([SportState(NFL, near)], FeedTerms(metered, 6), Budget(remaining, MONTH_ENDS))


def test_the_plan_of_each_sport_is_told() -> None:
    told = planned(LIVE, NOW, facts(1_000_000))
    assert told["intervals_s"] == {NFL: pytest.approx(60.0, abs=1)}
    assert told["no_credits_until"] is None


def test_without_credits_nothing_is_planned_until_they_are_renewed() -> None:
    told = planned(LIVE, NOW, facts(0))
    assert told == {
        "intervals_s": {NFL: None},
        "sparse_s": {},
        "credits_remaining": 0,
        "no_credits_until": MONTH_ENDS.isoformat(),
    }


def test_intervals_that_want_of_credits_makes_far_too_long_are_told() -> None:
    few = planned(LIVE, NOW, facts(13))["sparse_s"]
    assert few.keys() == {NFL}
    assert few[NFL][0] > 3600
    assert few[NFL][1] == pytest.approx(60.0, abs=1)
    assert planned(LIVE, NOW, facts(1_000_000))["sparse_s"] == {}
    unsaid = replace(facts(0), budget=Budget.at(NOW, CreditStatement(NOW, None)))
    told = planned(LIVE, NOW, unsaid)
    assert (told["sparse_s"].keys(), told["credits_remaining"]) == ({NFL}, None)


def test_a_recording_has_no_plan_in_our_time() -> None:
    replayed = Settings(edge_feed=Feed.REPLAY, edge_sports=(NFL,))
    assert planned(replayed, NOW, facts(None, metered=False))["intervals_s"] == {NFL: None}


def test_it_is_left_in_the_database_and_without_one_nothing_is(database_url: str) -> None:
    settings = LIVE.model_copy(update={"database_url": database_url})
    show_pulse(settings, NOW, facts(1_000_000))
    with closing(connect(database_url, "test")) as conn:
        assert planned_intervals(read_heartbeats(conn)).keys() == {NFL}
        show_pulse(settings, NOW, None, wanting="ODDS_API_KEY is not set")
        assert read_heartbeats(conn)[SENSOR].detail == {"wanting": "ODDS_API_KEY is not set"}
    show_pulse(LIVE.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/x"}), NOW, None)


def test_what_was_wrong_with_a_sport_that_is_no_longer_polled_is_over(database_url: str) -> None:
    unusable, jumped = ProblemKind.FEED_ANSWER_UNUSABLE, ProblemKind.CLOCK_CHANGED
    stays = [(unusable, NFL), (jumped, ""), (ProblemKind.SCORING_FAILS, "cricket")]
    with closing(connect(database_url, "test")) as conn:
        for kind, subject in [*stays, (unusable, "cricket"), (jumped, "cricket")]:
            report_problem(conn, kind, subject, "-")
        show_pulse(LIVE.model_copy(update={"database_url": database_url}), NOW, facts(1_000_000))
        assert {(problem.kind, problem.subject) for problem in read_problems(conn)} == set(stays)
