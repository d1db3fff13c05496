"""From a snapshot to health issues: every kind of fault, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge_assets.health.assessment import (
    SCORER,
    SENSOR,
    STACK,
    WATCHDOG,
    assess_health,
    assess_without_database,
    confirmation_ages,
)
from edge_assets.health.credits import forecast_credits
from edge_assets.health.issues import Health, HealthIssue
from edge_assets.health.machine import MachineResources, assess_machine
from edge_assets.health.remedies import REMEDIES, find_remedy
from edge_assets.store.health.problems import Heartbeat, Problem, ProblemKind
from edge_assets.store.health.scorer_failures import ScorerFailure
from edge_assets.store.health.vital_signs import BlockingFinding, HealthSnapshot, NewestPoll
from edge_assets.store.polls.credit_use import CreditUse

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
NFL = "americanfootball_nfl"
MINUTE = timedelta(minutes=1)


def beats(ago: float = 3, **detail: Any) -> dict[str, Heartbeat]:
    at = NOW - timedelta(seconds=ago)
    shown = {service: Heartbeat(service, at, {}) for service in (SCORER, WATCHDOG)}
    return {**shown, SENSOR: Heartbeat(SENSOR, at, {"intervals_s": {NFL: 60.0}, **detail})}


def poll(ago: float = 20) -> NewestPoll:
    at = NOW - timedelta(seconds=ago)
    return NewestPoll(NFL, "odds-api", at, at, at)


WELL = HealthSnapshot(NOW, [], beats(), [poll()], 1, NOW - timedelta(seconds=1), [], [])


def kinds(signs: HealthSnapshot) -> list[tuple[str, str]]:
    return [(finding.kind, finding.subject) for finding in assess_health(signs).issues]


def test_healthy_product_has_no_issues() -> None:
    health = assess_health(WELL)
    assert (health.status, health.issues, health.headline) == ("ok", (), "everything works")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"newest_polls": [poll(146)]}, ("poll_overdue", NFL)),
        ({"newest_polls": []}, ("poll_overdue", NFL)),
        ({"newest_polls": [poll(-3600)]}, ("clock_changed", NFL)),
        ({"heartbeats": beats(40)}, ("service_hangs", SENSOR)),
        ({"heartbeats": beats(-60)}, ("clock_changed", SCORER)),
        ({"heartbeats": beats(no_credits_until="2026-04-01T00:00:00+00:00")}, ("out_of_credits", "")),
        ({"heartbeats": beats(sparse_s={NFL: [43_177.0, 600.0]})}, ("credits_short", "")),
        ({"heartbeats": beats(unavailable_reason="ODDS_API_KEY is not set")}, ("poll_overdue", "")),
        ({"unscored_since": NOW - MINUTE}, ("scorer_behind", "")),
        ({"blocking_findings": [BlockingFinding(7, "seasons differ")]}, ("warehouse_blocked", "finding 7")),
        ({"problems": [Problem("key_refused", "", NOW, NOW, 1, "401")]}, ("key_refused", "")),
        ({"scorer_failures": [ScorerFailure(NFL, 2, NOW, NOW, NOW, "boom")]}, ("scoring_fails", NFL)),
    ],
)
def test_each_fault_is_reported(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    signs = replace(WELL, **changed)
    if not signs.newest_polls:
        signs.heartbeats[STACK] = Heartbeat(STACK, NOW - 10 * MINUTE, {})
    assert expected in kinds(signs)
    assert assess_health(signs).status != "ok"


def test_a_sport_is_overdue_after_twice_its_interval() -> None:
    assert kinds(replace(WELL, newest_polls=[poll(119)])) == []
    assert kinds(replace(WELL, newest_polls=[poll(146)])) == [("poll_overdue", NFL)]


def test_no_polls_at_all_are_one_issue() -> None:
    both = beats(intervals_s={NFL: 60.0, "basketball_nba": 60.0})
    late = [poll(300), poll(200)._replace(sport="basketball_nba")]
    [finding] = assess_health(replace(WELL, heartbeats=both, newest_polls=late)).issues
    assert (finding.kind, finding.subject, finding.detail) == ("poll_overdue", "", "no sport, for 3 minutes")
    assert kinds(replace(WELL, heartbeats=both, newest_polls=[poll(300), late[1]._replace(received_at=NOW)])) == [
        ("poll_overdue", NFL)
    ]


def test_a_missing_sensor_hides_overdue_polls_and_is_reported() -> None:
    heard = {service: beat for service, beat in beats().items() if service != SENSOR}
    assert kinds(replace(WELL, heartbeats=heard)) == []
    assert kinds(replace(WELL, heartbeats=heard, newest_polls=[poll(9_000)])) == [("service_hangs", SENSOR)]


def test_a_service_without_a_heartbeat_after_startup_hangs() -> None:
    stack = {STACK: Heartbeat(STACK, NOW - 2 * MINUTE, {})}
    assert kinds(replace(WELL, heartbeats=stack, newest_polls=[poll(9_000)])) == []
    stack[STACK] = Heartbeat(STACK, NOW - 4 * MINUTE, {})
    silent = [("service_hangs", service) for service in sorted((SCORER, SENSOR, WATCHDOG))]
    assert kinds(replace(WELL, heartbeats=stack, newest_polls=[])) == silent


def test_a_start_in_the_future_gives_no_grace() -> None:
    ahead = {**beats(), STACK: Heartbeat(STACK, NOW + 60 * MINUTE, {})}
    assert kinds(replace(WELL, heartbeats=ahead, newest_polls=[poll(300)])) == [
        ("poll_overdue", NFL),
        ("clock_changed", STACK),
    ]


def test_a_poll_in_the_future_is_reported_and_does_not_count() -> None:
    started = {**beats(), STACK: Heartbeat(STACK, NOW - 10 * MINUTE, {})}
    signs = replace(WELL, heartbeats=started, newest_polls=[poll(-3_600)])
    assert kinds(signs) == [("poll_overdue", NFL), ("clock_changed", NFL)]
    of_old = poll(-3_600)._replace(sport="no longer polled")
    assert kinds(replace(WELL, newest_polls=[poll(), of_old])) == []


def test_a_sport_without_an_interval_is_never_overdue() -> None:
    signs = replace(WELL, heartbeats=beats(intervals_s={NFL: None}), newest_polls=[poll(9_000)])
    assert kinds(signs) == []


def test_a_new_stack_gets_its_startup_grace() -> None:
    started = {**beats(), STACK: Heartbeat(STACK, NOW - MINUTE, {})}
    assert kinds(replace(WELL, heartbeats=started, newest_polls=[poll(9_000)])) == []
    started[STACK] = Heartbeat(STACK, NOW - 4 * MINUTE, {})
    assert kinds(replace(WELL, heartbeats=started, newest_polls=[poll(9_000)])) == [("poll_overdue", NFL)]


def test_reported_issues_replace_inferred_ones_and_the_worst_is_first() -> None:
    message = [
        Problem("memory_low", "", NOW, NOW, 1, "1 MiB"),
        Problem("poll_overdue", NFL, NOW, NOW, 1, "reported"),
        Problem("of_a_newer_version", "", NOW, NOW, 1, "?"),
    ]
    health = assess_health(replace(WELL, problems=message, newest_polls=[poll(146)]))
    assert [finding.kind for finding in health.issues] == ["poll_overdue", "memory_low", "of_a_newer_version"]
    assert health.issues[0].detail == "reported"
    assert health.headline.endswith("(reported); and 2 more")


def test_the_end_of_a_recording_is_a_note_not_a_fault() -> None:
    health = assess_health(replace(WELL, problems=[Problem("recording_ended", "", NOW, NOW, 1, "-")]))
    assert (health.status, len(health.issues)) == ("ok", 1)


def test_every_kind_has_a_remedy() -> None:
    assert set(REMEDIES) == set(ProblemKind)
    assert all(find_remedy(kind).action for kind in ProblemKind)


def test_an_unreachable_database_is_reported() -> None:
    health = assess_without_database("no answer", [HealthIssue("disk_low", "", "0 MiB")])
    assert (health.status, [f.kind for f in health.issues]) == ("down", ["database_unreachable", "disk_low"])


def test_low_disk_and_memory_are_reported() -> None:
    assert Health.from_issues(assess_machine(MachineResources("/", 10 * 2**30, 2**30))).status == "ok"
    [today] = assess_machine(MachineResources("/", 10 * 2**30, 2**30, bytes_per_day=11.0 * 2**30))
    assert today.kind == "disk_low"
    short = [finding.kind for finding in assess_machine(MachineResources("/", 2**30, 2**20))]
    assert short == ["disk_low", "memory_low"]
    full = Health.from_issues(assess_machine(MachineResources("/", 0, 2**30)))
    assert ([finding.kind for finding in full.issues], full.status) == (["disk_full"], "down")


def test_sparse_polling_is_reported_with_figures() -> None:
    [short] = assess_health(replace(WELL, heartbeats=beats(sparse_s={NFL: [43_200.0, 600.0], "b": [9.0, 1.0]}))).issues
    assert short.detail == (
        f"the feed does not say how many are left: {NFL} is polled every 12 hours, not every 10 minutes; "
        "and 1 more too seldom"
    )
    assert assess_health(replace(WELL, heartbeats=beats(sparse_s={NFL: [43_177.0, 600.0]}))).status == "degraded"


def test_confirmation_age_counts_from_the_last_scored_poll() -> None:
    scored_before = poll()._replace(scored_at=NOW - timedelta(seconds=100))
    known = confirmation_ages(replace(WELL, newest_polls=[scored_before]))[NFL]
    assert known.age_s == 100.0
    assert 60 < known.allowed_s < known.age_s
    replayed = poll()._replace(feed="replay")
    assert confirmation_ages(replace(WELL, newest_polls=[replayed])) == {}


def test_credits_are_extrapolated_at_the_pace_of_the_last_day() -> None:
    use = CreditUse(1_000, NOW, {NFL: 90}, {NFL: 200}, NOW - timedelta(days=1))
    outlook = forecast_credits(use, NOW)
    assert (outlook.used_today, outlook.left_at_month_end, outlook.runs_out_at) == (90, 700, None)
    assert "700 will be left on 2026-04-01" in outlook.summary
    short = forecast_credits(replace(use, remaining=100), NOW)
    assert short.runs_out_at == NOW + timedelta(hours=12)
    assert short.left_at_month_end == -200
    assert forecast_credits(replace(use, remaining=None), NOW).summary.startswith(
        "the feed has not stated how many are left"
    )
    idle = forecast_credits(CreditUse(5, NOW, {}, {}, None), NOW)
    assert (idle.left_at_month_end, idle.runs_out_at) == (5, None)
