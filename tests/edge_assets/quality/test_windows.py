"""Some consecutive rows of a season are wrong: found and held out, in every build, and without a false finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.quality.wrong_windows import MAX_WINDOW_P_VALUE, find_densest_window
from edge_assets.store.analytics.findings import decide_finding, find_finding, load_findings
from edge_assets.store.analytics.held_out import count_prices_of_findings
from tests.support.invented_seasons import SELLERS, rotate_columns, season

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.invented_seasons import Row, SeasonHarness

    Fault = Callable[[list[Row]], list[Row]]


def sides_swapped(rows: list[Row]) -> list[Row]:
    return [row | {"VCH": row["VCA"], "VCA": row["VCH"]} for row in rows]


def one_row_off(rows: list[Row]) -> list[Row]:
    return [row | {f"BW{o}": rows[i - 1][f"BW{o}"] for o in "HDA"} for i, row in enumerate(rows)]


def totals_in_place(rows: list[Row]) -> list[Row]:
    rng = np.random.default_rng(3)
    return [
        row | {f"IW{o}": f"{price:.2f}" for o, price in zip("HDA", rng.normal(1.9, 0.1, 3), strict=True)}
        for row in rows
    ]


def all_rotated(rows: list[Row]) -> list[Row]:
    for seller in SELLERS:
        rows = rotate_columns(rows, seller)
    return rows


def within(rows: list[Row], fault: Fault, first: int, n: int) -> list[Row]:
    return [*rows[:first], *fault(rows[first : first + n]), *rows[first + n :]]


def held_out(harness: SeasonHarness) -> list[tuple[str | None, int]]:
    """The findings of two builds and one that checks everything again."""
    found = [
        [(f.book, f.import_id or 0) for f in harness.gate(everything=all_).open_findings]
        for all_ in (False, False, True)
    ]
    assert found[1:] == found[:2]
    return found[0]


@pytest.mark.parametrize(
    ("fault", "book"),
    [
        (rotate_columns, "williamhill"),
        (sides_swapped, "betvictor"),
        (one_row_off, "bwin"),
        (totals_in_place, "interwetten"),
        (all_rotated, None),
    ],
)
def test_twenty_wrong_rows_of_a_season_are_held_out(harness: SeasonHarness, fault: Fault, book: str | None) -> None:
    harness.store(within(season(), fault, 190, 20))
    assert held_out(harness) == [(book, 1)]
    [finding] = harness.gate().open_findings
    assert "2023-11-0" in finding.reason or fault is not rotate_columns


def test_two_wrong_weeks_are_held_out_and_the_other_weeks_stay(harness: SeasonHarness) -> None:
    rows = within(season(), rotate_columns, 190, 20)
    for start in range(0, 380, 10):
        harness.store(rows[start : start + 10], f"week{start}.csv")
    assert held_out(harness) == [("williamhill", 0)]
    [finding] = harness.gate().open_findings
    assert [each.file[-11:] for each in finding.files] == ["week190.csv", "week200.csv"]
    usable = (
        "SELECT count(*) FROM clean_ticks AS t INNER JOIN books AS b ON t.book_id = b.id WHERE b.key = 'williamhill'"
    )
    assert harness.rows(usable) == [(360 * 3,)]


def test_scattered_marks_make_no_window() -> None:
    """Under every share of independent marks, false windows are rarer than stated (Bonferroni)."""
    rng = np.random.default_rng(1)
    for share in (0.001, 0.02, 0.1, 0.4, 0.9):
        assert not any(find_densest_window(rng.random(380) < share) for _ in range(200))
    assert MAX_WINDOW_P_VALUE * 800 < 0.01


def test_a_window_is_found_where_it_is() -> None:
    rng = np.random.default_rng(2)
    for n in (8, 20, 60, 150):
        marked = rng.random(380) < 0.002
        first = int(rng.integers(0, 380 - n))
        marked[first : first + n] = True
        window = find_densest_window(marked)
        assert window is not None
        assert abs(window.first - first) + abs(window.end - first - n) <= 4


def test_one_decision_answers_a_fault_in_many_files(harness: SeasonHarness) -> None:
    rows = rotate_columns(season()[:300])
    for start in range(0, 300, 10):
        harness.store(rows[start : start + 10], f"week{start}.csv")
    [finding] = harness.gate().open_findings
    assert len(finding.files) == 30
    assert find_finding(harness.conn, finding.files[7].id) == finding
    assert count_prices_of_findings(harness.conn, finding.ids) == (900, 300)
    decide_finding(harness.conn, finding.files[7].id, "accepted", "ada", "this file is right", only_its_file=True)
    [rest] = load_findings(harness.conn)
    assert len(rest.files) == 29
    decide_finding(harness.conn, rest.id, "excluded", "ada", "rotated")
    assert load_findings(harness.conn) == []
    assert {(f.state, len(f.files)) for f in load_findings(harness.conn, include_decided=True)} == {
        ("accepted", 1),
        ("excluded", 29),
    }
    assert harness.gate(everything=True).open_findings == []
