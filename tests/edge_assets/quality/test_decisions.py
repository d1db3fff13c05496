"""A poisoned season next to a sound one: held out in every run, until a person or better data resolves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.store.analytics.findings import (
    FindingScope,
    decide_finding,
    find_finding,
    find_or_record_finding,
    load_finding_decisions,
    load_findings,
)
from edge_assets.store.analytics.held_out import count_prices_of_findings
from edge_assets.store.analytics.quarantine import load_quarantined
from tests.support.invented_seasons import drop_cells, rotate_columns, scale_columns, season, shift_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.invented_seasons import Row, SeasonHarness

    Poison = Callable[[list[Row]], list[Row]]

PRICED = "INSERT INTO pricing.priced_polls SELECT id FROM polls ON CONFLICT DO NOTHING"
SOUND = 380 * 18
"""Prices of a season at its six books."""
USABLE = "SELECT count(*) FROM clean_ticks WHERE price IS NOT NULL"
SEEN = "SELECT * FROM odds_ticks ORDER BY observed_at, event_id, book_id, outcome_id, poll_id"


def usable(harness: SeasonHarness) -> int:
    return int(harness.rows(USABLE)[0][0])


def store_poisoned_season(harness: SeasonHarness, poison: Poison) -> int:
    """Store a sound and a poisoned season; returns the id of the only finding."""
    harness.store(season())
    harness.store(poison(season(1, 2024)), "poison.csv")
    harness.gate()
    harness.conn.execute(PRICED)
    [finding] = load_findings(harness.conn)
    return finding.id


@pytest.mark.parametrize(
    ("poison", "left", "reached"),
    [(rotate_columns, SOUND - 1140, 1140), (shift_prices, 0, 380 * 24), (drop_cells, 0, 348 * 24)],
    ids=["rotated", "shifted", "ragged"],
)
def test_a_suspected_group_stays_out_in_every_run(
    harness: SeasonHarness, poison: Poison, left: int, reached: int
) -> None:
    finding = store_poisoned_season(harness, poison)
    seen = harness.rows(SEEN)
    out = harness.rows("SELECT * FROM held_out_polls ORDER BY poll_id")
    for everything in (False, True, True):
        report = harness.gate(everything=everything)
        assert ([f.id for f in report.open_findings], report.new_findings) == ([finding], [])
        assert usable(harness) == SOUND + left
        assert harness.rows("SELECT * FROM held_out_polls ORDER BY poll_id") == out
    assert count_prices_of_findings(harness.conn, [finding])[0] == reached
    assert harness.rows(SEEN) == seen, "ticks stay as they were seen"


def test_accepted_prices_are_admitted_and_not_checked_again(harness: SeasonHarness) -> None:
    finding = store_poisoned_season(harness, rotate_columns)
    decide_finding(harness.conn, finding, "accepted", "ada", "they are like that")
    for everything in (False, True):
        report = harness.gate(everything=everything)
        assert report.open_findings == []
        assert usable(harness) == 2 * SOUND
        assert {(row.book, row.check_name) for row in load_quarantined(harness.conn, limit=1_000)} == {
            ("max", "best_price")
        }
    assert [d[:3] for d in load_finding_decisions(harness.conn, finding)] == [("accepted", "ada", "they are like that")]


def test_later_prices_of_an_accepted_scope_are_checked(harness: SeasonHarness) -> None:
    harness.store(season(1, 2024)[:100], "part.csv")
    [sport] = harness.rows("SELECT id FROM sports")[0]
    wish = find_or_record_finding(harness.conn, FindingScope(sport, 2024), "ada", "reviewed")
    decide_finding(harness.conn, wish, "accepted", "ada", "reviewed")
    harness.store([*season(1, 2024)[:100], *rotate_columns(season(1, 2024))[100:]], "more.csv")
    assert {f.book for f in harness.gate().open_findings} == {"williamhill"}


def test_excluded_prices_stay_out_without_a_finding(harness: SeasonHarness) -> None:
    finding = store_poisoned_season(harness, rotate_columns)
    decide_finding(harness.conn, finding, "excluded", "ada", "rotated")
    assert harness.gate(everything=True).open_findings == []
    assert usable(harness) == 2 * SOUND - 1140


def test_a_withdrawn_import_is_held_out_everywhere_and_recorded(harness: SeasonHarness) -> None:
    harness.store(season())
    before = [harness.rows(query) for query in everywhere()]
    harness.store(season(1, 2024), "other.csv")
    harness.conn.execute(PRICED)
    [number] = harness.rows("SELECT id FROM imports WHERE path LIKE '%other.csv'")[0]
    decide_finding(
        harness.conn,
        find_or_record_finding(harness.conn, FindingScope(import_id=number), "ada", "the wrong file"),
        "withdrawn",
        "ada",
        "wrong",
    )
    assert [harness.rows(query) for query in everywhere()] == before
    assert harness.gate().open_findings == []
    pending = "SELECT count(*) FROM polls AS p WHERE id NOT IN (SELECT poll_id FROM pricing.priced_polls)"
    assert harness.rows(f"{pending} AND import_id = {number}") == harness.rows(
        f"SELECT count(*) FROM polls WHERE import_id = {number}"
    )
    assert harness.rows(pending) == harness.rows(f"SELECT count(*) FROM polls WHERE import_id = {number}")
    assert harness.rows("SELECT count(*), count(finished_at) FROM imports") == [(2, 2)]
    assert harness.store(season(1, 2024), "again.csv").known_files == 1, "the same content stays withdrawn"


def everywhere() -> list[str]:
    return [
        "SELECT * FROM clean_ticks ORDER BY observed_at, event_id, book_id, outcome_id",
        "SELECT * FROM clean_aggregates ORDER BY observed_at, event_id, kind, outcome_id",
        "SELECT * FROM event_results ORDER BY event_id, period",
        "SELECT id FROM admitted_polls ORDER BY id",
        "SELECT id FROM events WHERE id NOT IN (SELECT event_id FROM held_out_events) ORDER BY id",
    ]


@pytest.mark.parametrize("poison", [rotate_columns, shift_prices, drop_cells])
def test_the_right_file_resolves_the_finding(harness: SeasonHarness, poison: Poison) -> None:
    finding = store_poisoned_season(harness, poison)
    harness.store(season(1, 2024), "right.csv")
    for _ in range(2):
        assert harness.gate().open_findings == []
        assert usable(harness) == 2 * SOUND
    found = find_finding(harness.conn, finding)
    assert found is not None
    assert (found.state, found.decided_by) == ("resolved", "quality gate")
    assert harness.rows("SELECT * FROM held_out_events") == []


def test_prices_of_a_withdrawn_import_can_be_imported_again(harness: SeasonHarness) -> None:
    harness.store(season()[:200], "part.csv")
    harness.store(season(), "whole.csv")
    decide_finding(
        harness.conn,
        find_or_record_finding(harness.conn, FindingScope(import_id=1), "ada", "a mistake"),
        "excluded",
        "ada",
        "a mistake",
    )
    assert usable(harness) == 180 * 18
    again = decide_finding(
        harness.conn,
        find_or_record_finding(harness.conn, FindingScope(import_id=1), "ada", "-"),
        "withdrawn",
        "ada",
        "a mistake",
    )
    assert again == [str(harness.folder / "whole.csv")]
    harness.store(season(), "whole.csv")
    assert usable(harness) == SOUND


def test_a_decision_is_never_changed(harness: SeasonHarness) -> None:
    finding = store_poisoned_season(harness, rotate_columns)
    decide_finding(harness.conn, finding, "excluded", "ada", "rotated")
    decide_finding(harness.conn, finding, "accepted", "bob", "on second thoughts")
    assert [d.decided_by for d in load_finding_decisions(harness.conn, finding)] == ["ada", "bob"]
    for statement in ("UPDATE quality_decisions SET reason = 'x'", "DELETE FROM quality_decisions"):
        with pytest.raises(psycopg.errors.RaiseException, match="is never changed"):
            harness.conn.execute(statement)
    was = harness.rows(
        f"SELECT state FROM quality_findings_at((SELECT min(decided_at) FROM quality_decisions)) WHERE id = {finding}"
    )
    assert was == [("excluded",)]


def test_other_prices_of_the_same_matches_are_counted_with_what_to_do(harness: SeasonHarness) -> None:
    """A corrected file is not admitted by itself, and the report says so."""
    wrong = scale_columns(season()[:40], 1.05, "BWH", "MaxH")
    assert harness.store(wrong, "wrong.csv").rejected.counts == {}
    report = harness.store(season()[:40], "right.csv")
    assert (report.ticks, report.aggregates, report.known_files) == (0, 0, 0)
    assert report.as_json()["rejected"] == {"contradicts_earlier_import": 80}
    [reported] = report.rejected.examples
    assert "import 1 (" in reported.detail
    assert "edge quality withdraw --import 1" in reported.remedy
    wish = find_or_record_finding(harness.conn, FindingScope(import_id=1), "ada", "wrong")
    assert decide_finding(harness.conn, wish, "withdrawn", "ada", "wrong") == [str(harness.folder / "right.csv")]
    again = harness.store(season()[:40], "right.csv")
    assert (again.ticks, again.rejected.counts) == (40 * 18, {})
    assert usable(harness) == 40 * 18


def test_the_same_prices_in_another_file_contradict_nothing(harness: SeasonHarness) -> None:
    harness.store(season()[:40])
    assert harness.store(season()[:40][::-1], "again.csv").rejected.counts == {}


def test_importing_a_withdrawn_file_again_is_reported(harness: SeasonHarness) -> None:
    harness.store(season()[:40])
    wish = find_or_record_finding(harness.conn, FindingScope(import_id=1), "ada", "wrong")
    decide_finding(harness.conn, wish, "withdrawn", "ada", "wrong")
    report = harness.store(season()[:40])
    assert (report.known_files, report.rejected.counts) == (1, {"withdrawn_import": 1})
    [reported] = report.rejected.examples
    assert f"edge quality accept {wish}" in reported.remedy
