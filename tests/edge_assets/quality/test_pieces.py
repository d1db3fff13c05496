"""The same rows in one file, in weekly files or other pieces: the same prices are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.analytics.findings import FindingScope, decide_finding, find_or_record_finding
from edge_assets.store.analytics.quarantine import load_quarantined
from tests.support.invented_seasons import HEAD, season, swap_columns, with_lines, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.invented_seasons import Row, SeasonHarness

    Poison = Callable[[list[Row]], list[Row]]

WEEK, WEEKS = 10, 6
PRICED = "INSERT INTO pricing.priced_polls SELECT id FROM polls ON CONFLICT DO NOTHING"
USABLE = """
SELECT b.key, m.key, count(*) FROM clean_ticks AS t
INNER JOIN books AS b ON t.book_id = b.id INNER JOIN markets AS m ON t.market_id = m.id
WHERE t.price IS NOT NULL GROUP BY b.key, m.key ORDER BY b.key, m.key
"""
STATES = "SELECT state, count(*) FROM quality_findings_at('infinity') GROUP BY state ORDER BY state"
BEST = "SELECT count(*) FROM clean_aggregates WHERE kind = 'max'"
BET365 = ("bet365", "spreads")


def handicaps_exchanged(rows: list[Row]) -> list[Row]:
    return swap_columns(rows, "B365AHH", "B365AHA")


def signs_reversed(rows: list[Row]) -> list[Row]:
    return [row | {"AHh": f"{-float(row['AHh']):g}"} for row in rows]


def one_row_off(rows: list[Row]) -> list[Row]:
    names = [name for name in HEAD if name.startswith("WH")]
    return [row | {n: rows[i - 1][n] for n in names} for i, row in enumerate(rows)]


def weekly(harness: SeasonHarness, rows: list[Row], name: str, *, one_by_one: bool = True) -> None:
    """Import week by week, and build after each or once at the end."""
    for start in range(0, len(rows), WEEK):
        harness.store(rows[start : start + WEEK], f"{name}{start}.csv")
        if one_by_one:
            harness.gate()
            harness.conn.execute(PRICED)
    harness.gate()


def usable(harness: SeasonHarness) -> dict[tuple[str, str], int]:
    return {(book, market): n for book, market, n in harness.rows(USABLE)}


@pytest.mark.parametrize("way", ["one file", "one by one", "at once"])
@pytest.mark.parametrize(
    ("poison", "out"),
    [
        (handicaps_exchanged, {BET365}),
        (signs_reversed, {BET365, ("pinnacle", "spreads")}),
        (one_row_off, {("williamhill", "h2h_3_way")}),
    ],
)
def test_poison_is_held_out_in_any_pieces(
    harness: SeasonHarness, poison: Poison, out: set[tuple[str, str]], way: str
) -> None:
    rows = with_lines(season()[: WEEK * WEEKS])
    if way == "one file":
        harness.store(poison(rows))
        harness.gate()
    else:
        weekly(harness, poison(rows), "week", one_by_one=way == "one by one")
    n = len(rows)
    books = ("bet365", "bwin", "interwetten", "pinnacle", "williamhill", "betvictor")
    reported = {(book, "h2h_3_way"): 3 * n for book in books}
    reported |= {(book, market): 2 * n for book in ("bet365", "pinnacle") for market in ("spreads", "totals")}
    assert usable(harness) == {group: n for group, n in reported.items() if group not in out}
    taken_out = {row.book for row in load_quarantined(harness.conn)}
    assert taken_out <= {book for book, _ in out}, "no sound price or best price is held out with it"


def test_a_finding_is_resolved_by_right_prices_and_not_by_the_same_poison_in_pieces(harness: SeasonHarness) -> None:
    rows = with_lines(season()[:40])
    harness.store(handicaps_exchanged(rows), "whole.csv")
    harness.gate()
    harness.conn.execute(PRICED)
    for start in range(0, 40, WEEK):
        weekly(harness, handicaps_exchanged(rows)[start : start + WEEK], f"wrong{start}-")
        assert BET365 not in usable(harness)
    assert harness.rows(STATES) == [("open", 5)]
    weekly(harness, rows[:WEEK], "right0-")
    assert BET365 not in usable(harness), "too few prices cannot be checked"
    weekly(harness, rows[WEEK:], "right1-")
    assert usable(harness)[BET365] == 80
    assert harness.gate().open_findings == []
    assert harness.rows(STATES) == [("accepted", 3), ("resolved", 5)]


def test_a_wrong_file_among_sound_ones_is_held_out_alone(harness: SeasonHarness) -> None:
    rows = with_lines(season()[:180])
    weekly(harness, rows[:150], "week", one_by_one=False)
    harness.conn.execute(PRICED)
    harness.store(handicaps_exchanged(rows[150:]), "wrong.csv")
    [finding] = harness.gate().open_findings
    assert (finding.file, finding.book) == (str(harness.folder / "wrong.csv"), "bet365")
    assert usable(harness)[BET365] == 300


def test_accepted_prices_are_not_suspected_again_with_others_of_their_season(harness: SeasonHarness) -> None:
    rows = swap_columns(without(season()[:60], "Avg"), "BWH", "BWA")
    weekly(harness, rows, "week")
    assert {finding.book for finding in harness.gate().open_findings} == {"bwin"}
    [(sport, book)] = harness.rows("SELECT s.id, b.id FROM sports AS s, books AS b WHERE b.key = 'bwin'")
    wish = find_or_record_finding(harness.conn, FindingScope(sport, 2023, book_id=book), "ada", "reviewed")
    decide_finding(harness.conn, wish, "accepted", "ada", "reviewed")
    for everything in (False, True):
        assert harness.gate(everything=everything).open_findings == []
        assert usable(harness)["bwin", "h2h_3_way"] == 180
    taken_out = {(row.book, row.check_name) for row in load_quarantined(harness.conn)}
    assert taken_out == {("max", "best_price")}, "a best price below an accepted book is wrong"
    decide_finding(harness.conn, wish, "excluded", "ada", "wrong after all")
    harness.gate()
    assert harness.rows(BEST) == [(180,)]
    assert load_quarantined(harness.conn) == []
