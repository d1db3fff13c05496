"""What is wrong at present, and signs of life."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_assets.store.health.problems import (
    ProblemKind,
    clear_problem,
    load_heartbeats,
    load_problems,
    record_heartbeat,
    report_problem,
    seconds_since_heartbeat,
)

if TYPE_CHECKING:
    from psycopg import Connection


def test_a_problem_stays_with_its_first_moment_until_it_is_cleared(conn: Connection) -> None:
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "refused")
    [first] = load_problems(conn)
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "timed out \x00\ud800")
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nfl", "refused")
    again, other = load_problems(conn)
    assert (again.subject, again.since, again.times, other.subject) == ("nba", first.since, 2, "nfl")
    assert again.detail.startswith("timed out")
    assert again.seen_at > first.seen_at
    clear_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba")
    clear_problem(conn, ProblemKind.KEY_REFUSED, "nba")
    assert [problem.subject for problem in load_problems(conn)] == ["nfl"]


def test_the_last_sign_of_life_counts(conn: Connection) -> None:
    record_heartbeat(conn, "scorer", behind=3)
    before = load_heartbeats(conn)["scorer"]
    record_heartbeat(conn, "scorer", behind=0)
    after = load_heartbeats(conn)["scorer"]
    assert after.beat_at > before.beat_at
    assert seconds_since_heartbeat(conn, "scorer") < 60
    assert seconds_since_heartbeat(conn, "serving") == math.inf
    assert (before.detail, after.detail) == ({"behind": 3}, {"behind": 0})
