"""The gate on sound data, on real data, and on every poison that it must catch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.analytics.quarantine import (
    QuarantineFilter,
    load_prices_of_other_books,
    load_quarantined,
    release_price,
)
from edge_assets.store.polls import as_of
from tests.support.invented_seasons import drop_cells, failed_checks, rotate_columns, season, shift_prices

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.invented_seasons import Row, SeasonHarness

ABSURD = "5.5"
LATER = datetime(2024, 8, 1, tzinfo=UTC)
STATED = "SELECT price FROM clean_ticks WHERE event_id = {} AND price IS NOT NULL ORDER BY price"
PRICED = "INSERT INTO pricing.priced_polls SELECT id FROM polls ON CONFLICT DO NOTHING"


def absurd_season() -> list[Row]:
    """One book is at 5.5 where the others are at 1.85, and so is the recorded best price."""
    rows = season()
    assert 1.8 < float(rows[0]["B365H"]) < 1.95
    rows[0] |= {"B365H": ABSURD, "MaxH": ABSURD}
    return rows


def test_a_sound_season_passes_whole(harness: SeasonHarness) -> None:
    harness.store(season())
    report = harness.gate()
    assert (report.events, report.ticks, report.quarantined, report.open_findings) == (380, 380 * 3 * 7, 0, [])
    harness.conn.execute(PRICED)
    assert harness.gate().events == 0
    assert harness.gate(everything=True).events == 380


def test_a_real_season_passes_with_some_prices_taken_out(harness: SeasonHarness, data_dir: Path) -> None:
    harness.load(*(data_dir / "football_data_uk" / "1920" / f"{d}.csv" for d in ("E0", "SC3", "SP1")))
    report = harness.gate()
    assert report.open_findings == []
    assert 0 < report.quarantined < 0.01 * report.ticks
    assert {row.check_name for row in load_quarantined(harness.conn)} <= {"best_price", "overround", "palpable_price"}


def test_an_absurd_price_is_quarantined_with_its_reason(harness: SeasonHarness) -> None:
    harness.store(absurd_season())
    before = harness.rows("SELECT * FROM odds_ticks ORDER BY event_id, book_id, outcome_id")
    [event] = harness.rows("SELECT id FROM events WHERE home_team = 'Town 0' AND away_team = 'Town 1'")[0]
    report = harness.gate()
    assert report.open_findings == []
    found = {row.book: row for row in load_quarantined(harness.conn)}
    assert found.keys() == {"bet365", "max"}
    price = found["bet365"]
    assert (price.check_name, price.price, price.outcome) == ("palpable_price", 5.5, "home")
    assert price.file == str(harness.folder / "E0.csv")
    assert price.reason.startswith("5.5 where 5 other books have a median of 1.8")
    assert len(load_prices_of_other_books(harness.conn, price.id)) == 5
    assert harness.rows(STATED.format(event))[-1] < (5.5,)
    assert as_of.load_quotes_as_of(harness.conn, event, LATER).quotes.price.max() < 5.5
    assert not harness.rows("SELECT FROM clean_aggregates WHERE price = 5.5")
    # ticks stay as received, and counted as right until the check
    assert harness.rows("SELECT * FROM odds_ticks ORDER BY event_id, book_id, outcome_id") == before
    assert (
        as_of.load_quotes_as_of(harness.conn, event, LATER, price.quarantined_at.replace(year=2025)).quotes.price.max()
        == 5.5
    )
    # it does not come back in another version of the file
    harness.store([*absurd_season()[:-1], absurd_season()[-1] | {"B365H": "9"}], "again.csv")
    assert harness.rows(STATED.format(event))[-1] < (5.5,)


@pytest.mark.parametrize(("matches", "is_held"), [(1, False), (2, False), (10, True)])
def test_few_wrong_prices_are_quarantined_and_many_hold_out_the_book(
    harness: SeasonHarness, matches: int, is_held: bool
) -> None:
    rows = season()[:30]
    for row in rows[:matches]:
        row["B365H"] = f"{3 * float(row['B365H']):g}"
    harness.store(rows)
    report = harness.gate()
    assert report.quarantined == (0 if is_held else matches)
    assert ("absurd_prices" in failed_checks(report)) is is_held
    assert len(harness.rows("SELECT FROM clean_ticks WHERE price IS NOT NULL")) == 30 * 18 - (
        90 if is_held else matches
    )


def test_a_released_price_stays_released(harness: SeasonHarness) -> None:
    harness.store(absurd_season())
    before = harness.rows("SELECT * FROM clean_ticks ORDER BY event_id, book_id, outcome_id")
    aggregates = harness.rows("SELECT * FROM clean_aggregates ORDER BY event_id, kind, outcome_id")
    harness.gate()
    harness.conn.execute(PRICED)
    for row in load_quarantined(harness.conn):
        assert release_price(harness.conn, row.id, "ada")
        assert not release_price(harness.conn, row.id, "bob")
    assert harness.rows("SELECT * FROM clean_ticks ORDER BY event_id, book_id, outcome_id") == before
    assert harness.rows("SELECT * FROM clean_aggregates ORDER BY event_id, kind, outcome_id") == aggregates
    assert {row.released_by for row in load_quarantined(harness.conn, QuarantineFilter(released=True))} == {"ada"}
    report = harness.gate()
    assert report.events > 0, "the warehouse must process its poll again"
    assert report.quarantined == 0
    assert load_quarantined(harness.conn) == []


def test_shifted_columns_of_a_whole_file_hold_out_the_file(harness: SeasonHarness) -> None:
    harness.store(shift_prices(season()))
    [finding] = harness.gate().open_findings
    assert "blind_betting" in finding.checks
    assert (finding.file, finding.book, finding.market) == (str(harness.folder / "E0.csv"), None, None)


def test_rotated_columns_of_a_book_hold_out_the_book_in_the_season(harness: SeasonHarness) -> None:
    harness.store(rotate_columns(season()))
    report = harness.gate()
    [finding] = report.open_findings
    assert {*finding.checks} == {"absurd_prices", "orientation"}
    assert (finding.book, finding.season, finding.market) == ("williamhill", 2023, "h2h_3_way")
    assert "5 other books have a median of" in finding.evidence["failed"][0]["examples"][0]["reason"]
    assert report.quarantined == 0


def test_a_best_price_from_a_rotated_book_is_held_out_with_it(harness: SeasonHarness) -> None:
    harness.store([row | {"MaxH": "9", "MaxD": "9", "MaxA": "9"} for row in rotate_columns(season())])
    assert {finding.book or finding.kind for finding in harness.gate().open_findings} == {"williamhill", "max"}


def test_rows_with_a_wrong_number_of_fields_hold_out_their_file(harness: SeasonHarness) -> None:
    assert harness.store(drop_cells(season(), 10)).rejected.counts == {"row_width": 38}
    [finding] = harness.gate().open_findings
    assert finding.checks == ["row_width"]
    assert finding.evidence == {"file": str(harness.folder / "E0.csv"), "rows": 380, "rejected": 38}


def test_scores_that_contradict_the_stated_result_hold_out_their_file(harness: SeasonHarness) -> None:
    exchanged = [row | {"FTHG": row["FTAG"], "FTAG": row["FTHG"]} for row in season()]
    harness.store(exchanged)
    assert "row_width" in failed_checks(harness.gate())


def test_prices_in_play_are_not_bet_blindly(harness: SeasonHarness) -> None:
    """No flag marks them: they come after the start, here from a book that then offers 50 on everything."""
    harness.store(season())
    harness.conn.execute(
        "INSERT INTO odds_ticks (observed_at, poll_id, price, event_id, outcome_id, point, book_id, market_id) "
        "SELECT e.commence_at + interval '1 hour', t.poll_id, 50, t.event_id, t.outcome_id, t.point, t.book_id, "
        "t.market_id FROM odds_ticks AS t INNER JOIN events AS e ON t.event_id = e.id"
    )
    assert harness.gate().open_findings == []


def test_swapped_teams_of_a_book_hold_it_out(harness: SeasonHarness) -> None:
    harness.store([row | {"IWH": row["IWA"], "IWA": row["IWH"]} for row in season()])
    assert "orientation" in failed_checks(harness.gate())


@pytest.mark.parametrize("factor", [0.5, 2])
def test_impossible_booksums_hold_out_the_book(harness: SeasonHarness, factor: float) -> None:
    names = ("PSH", "PSD", "PSA")
    harness.store([row | {n: f"{max(1.01, factor * float(row[n])):.2f}" for n in names} for row in season()[:60]])
    report = harness.gate()
    assert {"overround"} <= failed_checks(report)
    assert "pinnacle" in {finding.book for finding in report.open_findings}


def test_best_prices_below_the_books_are_held_out(harness: SeasonHarness) -> None:
    harness.store([row | {"MaxH": f"{0.9 * float(row['AvgH']):.2f}"} for row in season()])
    [finding] = harness.gate().open_findings
    assert (finding.checks, finding.kind, finding.book) == (["best_price"], "max", None)


def test_contradicted_results_block_their_sport_until_a_person_decides(harness: SeasonHarness) -> None:
    harness.store(season())
    harness.conn.execute(
        "INSERT INTO results SELECT event_id, observed_at, 'espn', period, status, home_score + 1, away_score "
        "FROM results WHERE event_id % 10 = 0"
    )
    [finding] = harness.gate().open_findings
    assert (finding.checks, finding.sport, finding.blocks) == (["results"], "soccer_epl", True)
    assert harness.gate().events == 0, "no more data of the sport is processed"
    assert harness.rows("SELECT count(*) FROM clean_ticks WHERE price IS NOT NULL") == [(380 * 18,)]
