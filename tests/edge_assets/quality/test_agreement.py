"""Sources that disagree: the wrong one is held out, in every market, with few books or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.quality.winners import log_likelihood_ratio
from tests.support.invented_seasons import failed_checks, scale_columns, season, swap_columns, with_lines, without

if TYPE_CHECKING:
    from tests.support.invented_seasons import Row, SeasonHarness

MANY = ("IW", "WH", "VC")
BW = ("BWH", "BWD", "BWA")
Sides = tuple[str, str]


def find_held_out(harness: SeasonHarness, rows: list[Row]) -> dict[tuple[str | None, str | None], list[str]]:
    """Held-out checks by book and market, after two equal runs; no sound price is quarantined."""
    harness.store(rows)
    first, second = harness.gate(), harness.gate(everything=True)
    assert [f.id for f in first.open_findings] == [f.id for f in second.open_findings]
    assert first.quarantined == 0
    return {(f.book or f.kind, f.market): f.checks for f in second.open_findings}


def test_a_sound_season_with_lines_passes(harness: SeasonHarness) -> None:
    assert find_held_out(harness, with_lines(season())) == {}


@pytest.mark.parametrize(
    ("sides", "seller", "market"),
    [
        (("BWD", "BWA"), "bwin", "h2h_3_way"),
        (("BWH", "BWA"), "bwin", "h2h_3_way"),
        (("B365>2.5", "B365<2.5"), "bet365", "totals"),
        (("B365AHH", "B365AHA"), "bet365", "spreads"),
        (("PAHH", "PAHA"), "pinnacle", "spreads"),
        (("MaxAHH", "MaxAHA"), "max", "spreads"),
    ],
)
def test_swapped_outcomes_hold_out_their_source_among_few_others(
    harness: SeasonHarness, sides: Sides, seller: str, market: str
) -> None:
    rows = without(swap_columns(with_lines(season()), *sides), *MANY)
    assert find_held_out(harness, rows) == {(seller, market): ["orientation"]}


def test_outcomes_swapped_in_every_tenth_row_hold_out_the_book(harness: SeasonHarness) -> None:
    assert find_held_out(harness, swap_columns(season(), "BWH", "BWA", 10)).keys() == {("bwin", "h2h_3_way")}


def test_results_decide_between_two_books(harness: SeasonHarness) -> None:
    rows = without(swap_columns(with_lines(season()), "B365>2.5", "B365<2.5"), *MANY, "Max", "Avg")
    assert find_held_out(harness, rows) == {("bet365", "totals"): ["orientation"]}


def test_two_undecided_books_are_both_held_out(harness: SeasonHarness) -> None:
    rows = swap_columns(with_lines(season())[:60], "B365>2.5", "B365<2.5")
    upcoming = [row | dict.fromkeys(("FTHG", "FTAG", "FTR"), "") for row in without(rows, "Max", "Avg")]
    assert find_held_out(harness, upcoming).keys() == {("bet365", "totals"), ("pinnacle", "totals")}
    assert all("do not decide" in finding.reason for finding in harness.gate().open_findings)


def test_outcomes_swapped_by_all_sources_are_contradicted_by_results(harness: SeasonHarness) -> None:
    rows = season()
    for seller in ("B365", "BW", "IW", "PS", "WH", "VC", "Max", "Avg"):
        rows = swap_columns(rows, f"{seller}H", f"{seller}A")
    harness.store(rows)
    report = harness.gate()
    assert failed_checks(report) & {"results_order", "blind_betting"}
    assert [(f.import_id, f.book, f.market) for f in report.open_findings] == [(1, None, None)]


@pytest.mark.parametrize("few", [(), MANY])
def test_a_book_that_gives_money_away_is_held_out_and_the_best_price_stays(
    harness: SeasonHarness, few: tuple[str, ...]
) -> None:
    assert find_held_out(harness, without(scale_columns(season(), 1.1, *BW), *few)) == {
        ("bwin", "h2h_3_way"): ["margin"]
    }


def test_a_single_book_above_the_best_price_is_wrong_if_others_confirm_it(harness: SeasonHarness) -> None:
    rows = scale_columns(season(), 1.065, *BW)  # still a margin of its own
    assert find_held_out(harness, rows).keys() == {("bwin", "h2h_3_way")}


def test_a_book_and_the_best_price_without_confirmation_are_both_held_out(harness: SeasonHarness) -> None:
    rows = without(scale_columns(season(), 1.04, *BW), *MANY, "B365", "PS")
    best = {f"Max{side}": f"BW{side}" for side in "HDA"}
    low = [row | {name: f"{float(row[of]) / 1.04:.2f}" for name, of in best.items()} for row in rows]
    assert find_held_out(harness, low).keys() == {("bwin", "h2h_3_way"), ("max", "h2h_3_way")}


def test_handicaps_with_the_wrong_sign_hold_out_their_market(harness: SeasonHarness) -> None:
    rows = [row | {"AHh": f"{-float(row['AHh']):g}"} for row in with_lines(season())]
    harness.store(rows)
    [finding] = harness.gate().open_findings
    assert (finding.checks, finding.market, finding.book, finding.kind) == (["line_sign"], "spreads", None, None)
    assert finding.import_id == 1
    assert harness.rows("SELECT count(*) FROM clean_ticks WHERE market_id = 3 AND price IS NOT NULL") == [(0,)]


def test_the_likelihood_of_results_by_hand() -> None:
    first, second = np.log([[1 / 0.8, 1 / 0.2]]), np.log([[1 / 0.5, 1 / 0.5]])
    assert log_likelihood_ratio(np.array([0]), first, second) == pytest.approx(np.log(1.6))
    assert log_likelihood_ratio(np.array([-1]), first, second) == 0
