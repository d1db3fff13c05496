"""A poisoned season beside a sound one: held out at every pass, until a person or better data resolves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.store.findings import Scope, decide, decisions, finding_of, findings, record_wish
from edge_assets.store.holding import count_reached
from edge_assets.store.quarantine import quarantined
from tests.edge_assets.quality.seasons import ragged, rotated, scaled, season, shifted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge_assets.quality.seasons import Desk, Row

    Poison = Callable[[list[Row]], list[Row]]

PRICED = "INSERT INTO pricing.priced_polls SELECT id FROM polls ON CONFLICT DO NOTHING"
SOUND = 380 * 18
"""Prices of a season at its six books."""
USABLE = "SELECT count(*) FROM clean_ticks WHERE price IS NOT NULL"
SEEN = "SELECT * FROM odds_ticks ORDER BY observed_at, event_id, book_id, outcome_id, poll_id"


def usable(desk: Desk) -> int:
    return int(desk.rows(USABLE)[0][0])


def poisoned(desk: Desk, poison: Poison) -> int:
    """A sound season and a poisoned one; the number of the only finding."""
    desk.store(season())
    desk.store(poison(season(1, 2024)), "poison.csv")
    desk.gate()
    desk.conn.execute(PRICED)
    [finding] = findings(desk.conn)
    return finding.id


@pytest.mark.parametrize(
    ("poison", "left", "reached"),
    [(rotated, SOUND - 1140, 1140), (shifted, 0, 380 * 24), (ragged, 0, 348 * 24)],
    ids=["rotated", "shifted", "ragged"],
)
def test_what_is_suspected_stays_out_as_a_whole_at_every_pass(
    desk: Desk, poison: Poison, left: int, reached: int
) -> None:
    finding = poisoned(desk, poison)
    seen = desk.rows(SEEN)
    out = desk.rows("SELECT * FROM held_out_polls ORDER BY poll_id")
    for everything in (False, True, True):
        report = desk.gate(everything=everything)
        assert ([f.id for f in report.findings], report.found) == ([finding], [])
        assert usable(desk) == SOUND + left
        assert desk.rows("SELECT * FROM held_out_polls ORDER BY poll_id") == out
    assert count_reached(desk.conn, finding)[0] == reached
    assert desk.rows(SEEN) == seen, "ticks stay as they were seen"


def test_what_is_accepted_comes_in_and_is_not_judged_again(desk: Desk) -> None:
    finding = poisoned(desk, rotated)
    decide(desk.conn, finding, "accepted", "ada", "they are like that")
    for everything in (False, True):
        report = desk.gate(everything=everything)
        assert report.findings == []
        assert usable(desk) == 2 * SOUND
        assert {(row.book, row.check_name) for row in quarantined(desk.conn, limit=1_000)} == {("max", "best_price")}
    assert [d[:3] for d in decisions(desk.conn, finding)] == [("accepted", "ada", "they are like that")]


def test_what_comes_later_of_an_accepted_scope_is_judged(desk: Desk) -> None:
    desk.store(season(1, 2024)[:100], "part.csv")
    [sport] = desk.rows("SELECT id FROM sports")[0]
    wish = record_wish(desk.conn, Scope(sport, 2024), "ada", "looked at")
    decide(desk.conn, wish, "accepted", "ada", "looked at")
    desk.store([*season(1, 2024)[:100], *rotated(season(1, 2024))[100:]], "more.csv")
    assert {f.book for f in desk.gate().findings} == {"williamhill"}


def test_what_is_excluded_stays_out_and_asks_nobody(desk: Desk) -> None:
    finding = poisoned(desk, rotated)
    decide(desk.conn, finding, "excluded", "ada", "rotated")
    assert desk.gate(everything=True).findings == []
    assert usable(desk) == 2 * SOUND - 1140


def test_a_withdrawn_import_is_out_everywhere_and_on_record(desk: Desk) -> None:
    desk.store(season())
    before = [desk.rows(query) for query in everywhere()]
    desk.store(season(1, 2024), "other.csv")
    desk.conn.execute(PRICED)
    [number] = desk.rows("SELECT id FROM imports WHERE path LIKE '%other.csv'")[0]
    decide(
        desk.conn, record_wish(desk.conn, Scope(import_id=number), "ada", "the wrong file"), "withdrawn", "ada", "wrong"
    )
    assert [desk.rows(query) for query in everywhere()] == before
    assert desk.gate().findings == []
    pending = "SELECT count(*) FROM polls AS p WHERE id NOT IN (SELECT poll_id FROM pricing.priced_polls)"
    assert desk.rows(f"{pending} AND import_id = {number}") == desk.rows(
        f"SELECT count(*) FROM polls WHERE import_id = {number}"
    )
    assert desk.rows(pending) == desk.rows(f"SELECT count(*) FROM polls WHERE import_id = {number}")
    assert desk.rows("SELECT count(*), count(finished_at) FROM imports") == [(2, 2)]
    assert desk.store(season(1, 2024), "again.csv").known_files == 1, "the same content stays withdrawn"


def everywhere() -> list[str]:
    return [
        "SELECT * FROM clean_ticks ORDER BY observed_at, event_id, book_id, outcome_id",
        "SELECT * FROM clean_aggregates ORDER BY observed_at, event_id, kind, outcome_id",
        "SELECT * FROM event_results ORDER BY event_id, period",
        "SELECT id FROM admitted_polls ORDER BY id",
        "SELECT id FROM events WHERE id NOT IN (SELECT event_id FROM held_out_events) ORDER BY id",
    ]


@pytest.mark.parametrize("poison", [rotated, shifted, ragged])
def test_the_right_file_resolves_the_finding(desk: Desk, poison: Poison) -> None:
    finding = poisoned(desk, poison)
    desk.store(season(1, 2024), "right.csv")
    for _ in range(2):
        assert desk.gate().findings == []
        assert usable(desk) == 2 * SOUND
    found = finding_of(desk.conn, finding)
    assert found is not None
    assert (found.state, found.decided_by) == ("resolved", "quality gate")
    assert desk.rows("SELECT * FROM held_out_events") == []


def test_what_another_import_had_told_first_can_be_imported_again(desk: Desk) -> None:
    desk.store(season()[:200], "part.csv")
    desk.store(season(), "whole.csv")
    decide(desk.conn, record_wish(desk.conn, Scope(import_id=1), "ada", "a mistake"), "excluded", "ada", "a mistake")
    assert usable(desk) == 180 * 18
    again = decide(desk.conn, record_wish(desk.conn, Scope(import_id=1), "ada", "-"), "withdrawn", "ada", "a mistake")
    assert again == [str(desk.folder / "whole.csv")]
    desk.store(season(), "whole.csv")
    assert usable(desk) == SOUND


def test_a_decision_is_never_changed(desk: Desk) -> None:
    finding = poisoned(desk, rotated)
    decide(desk.conn, finding, "excluded", "ada", "rotated")
    decide(desk.conn, finding, "accepted", "bob", "on a second look")
    assert [d.decided_by for d in decisions(desk.conn, finding)] == ["ada", "bob"]
    for statement in ("UPDATE quality_decisions SET reason = 'x'", "DELETE FROM quality_decisions"):
        with pytest.raises(psycopg.errors.RaiseException, match="is never changed"):
            desk.conn.execute(statement)
    was = desk.rows(
        f"SELECT state FROM quality_findings_at((SELECT min(decided_at) FROM quality_decisions)) WHERE id = {finding}"
    )
    assert was == [("excluded",)]


def test_other_prices_of_the_same_matches_are_counted_with_what_to_do(desk: Desk) -> None:
    """A corrected file does not come in by itself, and it says so."""
    wrong = scaled(season()[:40], 1.05, "BWH", "MaxH")
    assert desk.store(wrong, "wrong.csv").refused.counts == {}
    report = desk.store(season()[:40], "right.csv")
    assert (report.ticks, report.aggregates, report.known_files) == (0, 0, 0)
    assert report.as_json()["rejected"] == {"contradicts_earlier_import": 80}
    [told] = report.refused.shown
    assert "import 1 (" in told.detail
    assert "edge quality withdraw --import 1" in told.remedy
    wish = record_wish(desk.conn, Scope(import_id=1), "ada", "wrong")
    assert decide(desk.conn, wish, "withdrawn", "ada", "wrong") == [str(desk.folder / "right.csv")]
    again = desk.store(season()[:40], "right.csv")
    assert (again.ticks, again.refused.counts) == (40 * 18, {})
    assert usable(desk) == 40 * 18


def test_the_same_prices_in_another_file_contradict_nothing(desk: Desk) -> None:
    desk.store(season()[:40])
    assert desk.store(season()[:40][::-1], "again.csv").refused.counts == {}


def test_a_withdrawn_file_says_so_when_it_is_imported_again(desk: Desk) -> None:
    desk.store(season()[:40])
    wish = record_wish(desk.conn, Scope(import_id=1), "ada", "wrong")
    decide(desk.conn, wish, "withdrawn", "ada", "wrong")
    report = desk.store(season()[:40])
    assert (report.known_files, report.refused.counts) == (1, {"withdrawn_import": 1})
    [told] = report.refused.shown
    assert f"edge quality accept {wish}" in told.remedy
