"""Whatever sources say of a game is kept; one row an event and period settles it."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations_with_replacement, permutations, product
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.reference.sources import Source
from edge_assets.store.events.results import (
    StatedResult,
    load_results_at,
    write_results,
)
from edge_assets.store.health.totals import count_contradicted_events
from ml.settlement import GameReport, GameStatus, Score
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

LATER = NOON + timedelta(hours=1)
HOUR = timedelta(hours=1)
FINAL = GameReport.final(Score(2, 1), Score(1, 1))
ABANDONED = GameReport(GameStatus.ABANDONED, full=Score(1, 0))


def make_result(
    harness: StoreHarness, report: GameReport, source: Source = Source.ESPN, at: datetime = NOON
) -> StatedResult:
    return StatedResult(harness.events[0], source, at, report)


def view(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute(
        "SELECT period, status, home_score, away_score, source, contradicted FROM event_results ORDER BY period"
    ).fetchall()


def test_a_game_has_a_row_for_each_period(harness: StoreHarness) -> None:
    assert write_results(harness.conn, [make_result(harness, FINAL)]) == (2, 0, 0)
    assert view(harness.conn) == [("full", "final", 2, 1, "espn", False), ("regulation", "final", 1, 1, "espn", False)]


def test_a_repeated_result_stores_nothing_and_keeps_the_earlier_time(harness: StoreHarness) -> None:
    write_results(harness.conn, [make_result(harness, FINAL, at=LATER)] * 2)

    assert write_results(harness.conn, [make_result(harness, FINAL, at=NOON)]) == (0, 2, 0)
    assert write_results(harness.conn, [make_result(harness, FINAL, at=LATER + HOUR)]) == (0, 2, 0)
    assert harness.conn.execute("SELECT DISTINCT observed_at FROM results").fetchall() == [(NOON,)]


def test_two_scores_are_both_kept_and_reported(harness: StoreHarness, caplog: pytest.LogCaptureFixture) -> None:
    other = GameReport.final(Score(2, 2))
    write_results(harness.conn, [make_result(harness, FINAL)])

    assert write_results(harness.conn, [make_result(harness, other, Source.ODDS_API)]).contradicted_events == 1
    assert "1 events have contradicting results" in caplog.text
    assert view(harness.conn) == [
        ("full", "final", 2, 2, "odds-api", True),
        ("regulation", "final", 1, 1, "espn", False),
    ]
    assert harness.conn.execute("SELECT count(*) FROM results WHERE period = 'full'").fetchone() == (2,)


def test_a_source_that_changes_its_mind_contradicts_itself(harness: StoreHarness) -> None:
    write_results(
        harness.conn, [make_result(harness, FINAL), make_result(harness, GameReport.final(Score(3, 1)), at=LATER)]
    )

    assert view(harness.conn)[0] == ("full", "final", 3, 1, "espn", True)


def test_a_postponed_game_that_was_played_is_not_a_contradiction(harness: StoreHarness) -> None:
    postponed = GameReport(GameStatus.POSTPONED)
    write_results(harness.conn, [make_result(harness, postponed, Source.ODDS_API)])
    assert view(harness.conn)[0] == ("full", "postponed", None, None, "odds-api", False)

    write_results(harness.conn, [make_result(harness, FINAL, at=LATER)])
    assert view(harness.conn)[0] == ("full", "final", 2, 1, "espn", False)


def test_an_abandoned_game_that_another_source_calls_final_is_a_contradiction_in_all_periods(
    harness: StoreHarness,
) -> None:
    unstated = GameReport(GameStatus.FINAL, unstated=Score(1, 0))
    write_results(
        harness.conn, [make_result(harness, ABANDONED), make_result(harness, unstated, Source.ODDS_API, LATER)]
    )

    assert view(harness.conn) == [
        ("full", "abandoned", 1, 0, "espn", True),
        ("regulation", "abandoned", None, None, "espn", True),
        ("unstated", "final", 1, 0, "odds-api", True),
    ]


@pytest.mark.parametrize(
    ("score", "contradicted"), [(Score(2, 1), False), (Score(1, 1), False), (Score(2, 2), True), (Score(0, 1), True)]
)
def test_a_score_of_an_unstated_period_agrees_with_either(
    harness: StoreHarness, score: Score, contradicted: bool
) -> None:
    unstated = GameReport(GameStatus.FINAL, unstated=score)
    write_results(harness.conn, [make_result(harness, FINAL), make_result(harness, unstated, Source.ODDS_API)])

    assert {row[-1] for row in view(harness.conn)} == {contradicted}


def test_a_score_of_an_unstated_period_may_be_that_of_an_unknown_regulation(harness: StoreHarness) -> None:
    unstated = GameReport(GameStatus.FINAL, unstated=Score(1, 1))
    after_extra_time = GameReport.final(Score(2, 1))
    write_results(
        harness.conn, [make_result(harness, after_extra_time), make_result(harness, unstated, Source.ODDS_API)]
    )

    assert not any(row[-1] for row in view(harness.conn))


def test_every_kind_of_contradiction_is_counted(harness: StoreHarness) -> None:
    """The count reads a few events only, the view all of them."""
    reports = [
        FINAL,
        GameReport.final(Score(2, 1)),
        GameReport.final(Score(2, 2), Score(1, 1)),
        GameReport(GameStatus.SHORTENED, full=Score(2, 1)),
        ABANDONED,
        GameReport(GameStatus.NOT_PLAYED),
        GameReport(GameStatus.POSTPONED),
        GameReport(GameStatus.FINAL, unstated=Score(1, 1)),
        GameReport(GameStatus.FINAL, unstated=Score(5, 0)),
        GameReport(GameStatus.FINAL, regulation=Score(1, 1)),
    ]
    counts = set()
    pairs = combinations_with_replacement(reports, 2)
    for (one, other), source in product(pairs, (Source.ESPN, Source.ODDS_API)):
        harness.conn.execute("DELETE FROM results")
        write_results(harness.conn, [make_result(harness, one), make_result(harness, other, source, LATER)])
        found = count_contradicted_events(harness.conn)
        assert found == any(row[-1] for row in view(harness.conn)), (one, other, source)
        counts.add(found)
    assert counts == {0, 1}


def test_the_order_of_writing_does_not_matter(harness: StoreHarness) -> None:
    results = [
        make_result(harness, GameReport(GameStatus.POSTPONED)),
        make_result(harness, FINAL, at=LATER),
        make_result(harness, FINAL, at=LATER + HOUR),
        make_result(harness, GameReport.final(Score(2, 2)), Source.ODDS_API, LATER),
    ]
    found = set()
    for order in permutations(results):
        harness.conn.execute("TRUNCATE results")
        for result in order:
            write_results(harness.conn, [result])
        found.add(tuple(harness.conn.execute("SELECT * FROM event_results ORDER BY period").fetchall()))
    assert len(found) == 1


def test_later_corrections_change_no_earlier_answer(harness: StoreHarness) -> None:
    [event, _] = harness.events
    write_results(harness.conn, [make_result(harness, FINAL)])
    before = load_results_at(harness.conn, [event], NOON)
    write_results(
        harness.conn,
        [
            make_result(harness, GameReport.final(Score(9, 9)), Source.ODDS_API, LATER),
            make_result(harness, GameReport.final(Score(5, 0)), at=LATER),
        ],
    )

    assert load_results_at(harness.conn, [event], NOON) == before
    assert load_results_at(harness.conn, [event], NOON - HOUR) == []
    assert [(r.home_score, r.contradicted) for r in load_results_at(harness.conn, [event], LATER)] == [
        (9, True),
        (1, False),
    ]


def test_an_event_that_does_not_exist_stores_nothing(harness: StoreHarness) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        write_results(harness.conn, [make_result(harness, FINAL), StatedResult(999, Source.ESPN, NOON, FINAL)])
    assert view(harness.conn) == []
    assert write_results(harness.conn, []) == (0, 0, 0)
