"""`edge results`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.reference.sources import Source
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect
from ml.settlement import GameReport, GameStatus, Score
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from tests.support.edge_command import Edge


@pytest.fixture
def event(database_url: str) -> int:
    """A game on whose full score two sources disagree; they agree on regulation time."""
    with connect(database_url, "test") as conn:
        ids = IdRegistry.load(conn)
        number = ids.event("e1", ids.sport("icehockey_nhl"), "Bruins", "Kings", NOON, NOON)
        ids.close()
        reports = {Source.ESPN: Score(3, 2), Source.ODDS_API: Score(2, 3)}
        stated = [
            StatedResult(number, source, NOON + timedelta(hours=3), GameReport.final(full, Score(2, 2)))
            for source, full in reports.items()
        ]
        write_results(conn, stated)
    return number


def run_results(edge: Edge, url: str, *args: str) -> Any:
    found = edge("results", *args, "--json", DATABASE_URL=url)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_a_contradiction_is_listed_shown_and_decided(edge: Edge, database_url: str, event: int) -> None:
    [row] = run_results(edge, database_url, "list", "--contradicted")
    assert (row["event_id"], row["period"]) == (event, "full")
    for narrowed, n in (
        (("--team", "bruin"), 2),
        (("--team", "ducks"), 0),
        (("--sport", "nhl", "--season", "1999"), 0),
    ):
        assert len(run_results(edge, database_url, "list", *narrowed)) == n, narrowed
    shown = edge("results", "show", str(event), DATABASE_URL=database_url).stdout
    assert "contradicted: settles nothing" in shown
    assert "Bruins - Kings" in shown

    found = run_results(
        edge, database_url, "decide", str(event), "--score", "3-2", "--reason", "box score", "--by", "ada"
    )
    assert [(r["period"], r["home_score"], r["source"]) for r in found["effective"]] == [
        ("full", 3, "decision"),
        ("regulation", 2, "odds-api"),
    ]
    assert (found["statements"][-1]["decided_by"], found["statements"][-1]["reason"]) == ("ada", "box score")
    assert run_results(edge, database_url, "list", "--contradicted") == []
    assert [r["source"] for r in run_results(edge, database_url, "list", "--decided")] == ["decision"]

    again = run_results(
        edge, database_url, "decide", str(event), "--source", "odds-api", "--reason", "the league corrected it"
    )
    assert {(r["period"], r["home_score"], r["source"]) for r in again["effective"]} == {
        ("full", 2, "decision"),
        ("regulation", 2, "decision"),
    }
    void = run_results(edge, database_url, "decide", str(event), "--void", "--reason", "forfeited")
    assert {r["status"] for r in void["effective"]} == {GameStatus.NOT_PLAYED}


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--reason", "x"], "exactly one decision is needed"),
        (["--reason", "x", "--score", "3-2", "--void"], "exactly one decision is needed"),
        (["--reason", "x", "--score", "three"], "is not a score"),
        (["--reason", "x", "--score", "3-2", "--period", "overtime"], "unknown period 'overtime'"),
        (["--reason", "x", "--source", "nfl-bmr"], "nfl-bmr has stated no regulation or full score"),
        (["--reason", "\u200b", "--score", "3-2"], "text_empty"),
    ],
)
def test_an_unclear_decision_is_refused(
    edge: Edge, database_url: str, event: int, args: list[str], problem: str
) -> None:
    refused = edge("results", "decide", str(event), *args, DATABASE_URL=database_url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert problem in refused.stderr
    assert run_results(edge, database_url, "list", "--decided") == []


def test_a_score_of_two_periods_in_question_needs_a_period(edge: Edge, database_url: str, event: int) -> None:
    with connect(database_url, "test") as conn:
        off = StatedResult(event, Source.ESPN, NOON + timedelta(hours=4), GameReport(GameStatus.NOT_PLAYED))
        write_results(conn, [off])
    unclear = edge("results", "decide", str(event), "--score", "3-2", "--reason", "x", DATABASE_URL=database_url)
    assert unclear.returncode == 1
    assert "--period regulation" in unclear.stderr
    missing = edge("results", "show", "999", DATABASE_URL=database_url)
    assert "there is no event 999" in missing.stderr
