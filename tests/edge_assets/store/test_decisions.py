"""A person decides where sources contradict; neither the reports nor earlier knowledge change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.reference.sources import Source
from edge_assets.store.events.result_decisions import (
    DecidedScore,
    ResultFilter,
    decide_result,
    load_current_results,
    load_result_statements,
)
from edge_assets.store.events.results import StatedResult, load_results_at, write_results
from edge_assets.store.events.score_reports import STATUSES_BY_PRIORITY, load_report_history, load_reports
from edge_assets.store.health.totals import count_contradicted_events
from ml.settlement import GameReport, GameStatus, Score, ScorePeriod
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    from datetime import datetime

HOUR = timedelta(hours=1)
SECOND, THIRD, FOURTH = NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR
FULL = ScorePeriod.FULL


@pytest.fixture
def contradicted_event(harness: StoreHarness) -> StoreHarness:
    """Two sources agree, an hour later a third does not."""
    event = harness.events[0]
    write_results(
        harness.conn,
        [
            StatedResult(event, Source.ESPN, NOON, GameReport.final(Score(2, 1))),
            StatedResult(event, Source.FOOTBALL_DATA, NOON, GameReport.final(Score(2, 1))),
            StatedResult(event, Source.ODDS_API, SECOND, GameReport.final(Score(0, 1))),
        ],
    )
    return harness


def decide(harness: StoreHarness, at: datetime, home: int, away: int, period: ScorePeriod = FULL) -> None:
    scores = [DecidedScore(period, GameStatus.FINAL, Score(home, away))]
    decide_result(harness.conn, harness.events[0], scores, at=at, by="ada", reason="the league's report")


def holds(harness: StoreHarness, at: datetime) -> list[tuple[object, ...]]:
    found = load_results_at(harness.conn, [harness.events[0]], at)
    return [(r.period, r.status, r.home_score, r.away_score, r.source, r.contradicted) for r in found]


def test_a_decision_holds_from_its_time_on_until_the_next(contradicted_event: StoreHarness) -> None:
    decide(contradicted_event, THIRD, 2, 1)
    decide(contradicted_event, FOURTH, 3, 1)

    assert holds(contradicted_event, NOON) == [("full", "final", 2, 1, "espn", False)]
    assert holds(contradicted_event, SECOND) == [("full", "final", 0, 1, "odds-api", True)]
    assert holds(contradicted_event, THIRD) == [("full", "final", 2, 1, "decision", False)]
    assert holds(contradicted_event, FOURTH) == [("full", "final", 3, 1, "decision", False)]
    assert count_contradicted_events(contradicted_event.conn) == 0


def test_a_decision_changes_no_report_and_keeps_who_when_and_why(contradicted_event: StoreHarness) -> None:
    before = load_result_statements(contradicted_event.conn, contradicted_event.events[0])
    decide(contradicted_event, THIRD, 2, 1)

    *sources, decision = load_result_statements(contradicted_event.conn, contradicted_event.events[0])
    assert sources == before
    assert (decision.source, decision.decided_by, decision.reason) == ("decision", "ada", "the league's report")
    for statement in ("UPDATE result_decisions SET reason = 'other'", "DELETE FROM result_decisions"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            contradicted_event.conn.execute(statement)


def test_a_later_report_does_not_undo_a_decision(contradicted_event: StoreHarness) -> None:
    decide(contradicted_event, THIRD, 2, 1)
    late = StatedResult(contradicted_event.events[0], Source.ESPN, FOURTH, GameReport.final(Score(5, 5)))
    write_results(contradicted_event.conn, [late])

    assert holds(contradicted_event, FOURTH) == [("full", "final", 2, 1, "decision", False)]


def test_one_period_is_decided_and_the_other_stays_in_question(harness: StoreHarness) -> None:
    ending = [GameReport.final(Score(2, 1), Score(1, 1)), GameReport(GameStatus.NOT_PLAYED)]
    sources = (Source.ESPN, Source.ODDS_API)
    write_results(
        harness.conn, [StatedResult(harness.events[0], s, NOON, r) for s, r in zip(sources, ending, strict=True)]
    )
    decide(harness, SECOND, 2, 1)
    assert [(row[0], row[-1]) for row in holds(harness, SECOND)] == [("full", False), ("regulation", True)]
    assert count_contradicted_events(harness.conn) == 1


def test_a_game_that_is_decided_not_to_have_been_played_has_no_score(contradicted_event: StoreHarness) -> None:
    none = [DecidedScore(p, GameStatus.NOT_PLAYED, None) for p in (ScorePeriod.REGULATION, FULL)]
    decide_result(contradicted_event.conn, contradicted_event.events[0], none, at=THIRD, by="ada", reason="called off")
    assert {row[1:] for row in holds(contradicted_event, THIRD)} == {("not_played", None, None, "decision", False)}


def test_a_decision_makes_a_score_of_no_stated_period_irrelevant(harness: StoreHarness) -> None:
    unclear = [GameReport(GameStatus.FINAL, unstated=Score(*score)) for score in ((2, 1), (1, 2))]
    sources = (Source.ESPN, Source.ODDS_API)
    write_results(
        harness.conn, [StatedResult(harness.events[0], s, NOON, r) for s, r in zip(sources, unclear, strict=True)]
    )
    assert load_reports(harness.conn)["full_contradicted"].tolist() == [True]
    decide(harness, SECOND, 2, 1, ScorePeriod.REGULATION)
    assert holds(harness, SECOND) == [("regulation", "final", 2, 1, "decision", False)]
    assert load_reports(harness.conn)["regulation_home"].tolist() == [2.0]


def test_what_was_known_of_a_result_from_moment_to_moment(contradicted_event: StoreHarness) -> None:
    decide(contradicted_event, THIRD, 3, 1)
    found = load_report_history(contradicted_event.conn)
    assert found["full_contradicted"].tolist() == [False, True, False]
    assert found["full_home"].tolist() == [2, 0, 3]
    assert not found["regulation_contradicted"].any()
    before, now = load_reports(contradicted_event.conn, SECOND), load_reports(contradicted_event.conn)
    assert (before["full_contradicted"].tolist(), now["full_contradicted"].tolist()) == ([True], [False])
    assert {STATUSES_BY_PRIORITY[number - 1] for number in found["ending"].tolist()} == {"final"}


def test_decisions_are_listed_by_filter(contradicted_event: StoreHarness) -> None:
    def list_sources(wanted: ResultFilter = ResultFilter()) -> list[str]:  # noqa: B008 - immutable
        return [row["source"] for row in load_current_results(contradicted_event.conn, wanted, limit=100)]

    of_contradicted, of_decided = ResultFilter(contradicted=True), ResultFilter(decided=True)
    assert (list_sources(), list_sources(of_contradicted), list_sources(of_decided)) == (["odds-api"], ["odds-api"], [])
    decide(contradicted_event, THIRD, 2, 1)
    assert (list_sources(of_contradicted), list_sources(of_decided)) == ([], ["decision"])
