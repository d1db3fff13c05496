"""What is wrong at present, and signs of life."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_assets.store.problems import (
    ProblemKind,
    beat,
    clear_problem,
    read_heartbeats,
    read_problems,
    report_problem,
    seconds_silent,
)

if TYPE_CHECKING:
    from psycopg import Connection


def test_a_problem_stays_with_its_first_moment_until_it_is_cleared(conn: Connection) -> None:
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "refused")
    [first] = read_problems(conn)
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "timed out \x00\ud800")
    report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nfl", "refused")
    again, other = read_problems(conn)
    assert (again.subject, again.since, again.times, other.subject) == ("nba", first.since, 2, "nfl")
    assert again.detail.startswith("timed out")
    assert again.seen_at > first.seen_at
    clear_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba")
    clear_problem(conn, ProblemKind.KEY_REFUSED, "nba")
    assert [problem.subject for problem in read_problems(conn)] == ["nfl"]


def test_the_last_sign_of_life_counts(conn: Connection) -> None:
    beat(conn, "scorer", behind=3)
    before = read_heartbeats(conn)["scorer"]
    beat(conn, "scorer", behind=0)
    after = read_heartbeats(conn)["scorer"]
    assert after.beat_at > before.beat_at
    assert seconds_silent(conn, "scorer") < 60
    assert seconds_silent(conn, "serving") == math.inf
    assert (before.detail, after.detail) == ({"behind": 3}, {"behind": 0})
