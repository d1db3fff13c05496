"""The same rows in one file, in weekly files or in other pieces: what is held out is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.findings import Scope, decide, record_wish
from edge_assets.store.quarantine import quarantined
from tests.edge_assets.quality.seasons import HEAD, exchanged, season, with_lines, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge_assets.quality.seasons import Desk, Row

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
    return exchanged(rows, "B365AHH", "B365AHA")


def signs_reversed(rows: list[Row]) -> list[Row]:
    return [row | {"AHh": f"{-float(row['AHh']):g}"} for row in rows]


def one_row_off(rows: list[Row]) -> list[Row]:
    names = [name for name in HEAD if name.startswith("WH")]
    return [row | {n: rows[i - 1][n] for n in names} for i, row in enumerate(rows)]


def weekly(desk: Desk, rows: list[Row], name: str, *, one_by_one: bool = True) -> None:
    """Import week by week, and build after each, or once."""
    for start in range(0, len(rows), WEEK):
        desk.store(rows[start : start + WEEK], f"{name}{start}.csv")
        if one_by_one:
            desk.gate()
            desk.conn.execute(PRICED)
    desk.gate()


def usable(desk: Desk) -> dict[tuple[str, str], int]:
    return {(book, market): n for book, market, n in desk.rows(USABLE)}


@pytest.mark.parametrize("way", ["one file", "one by one", "at once"])
@pytest.mark.parametrize(
    ("poison", "out"),
    [
        (handicaps_exchanged, {BET365}),
        (signs_reversed, {BET365, ("pinnacle", "spreads")}),
        (one_row_off, {("williamhill", "h2h_3_way")}),
    ],
)
def test_it_does_not_matter_in_which_pieces_poison_comes(
    desk: Desk, poison: Poison, out: set[tuple[str, str]], way: str
) -> None:
    rows = with_lines(season()[: WEEK * WEEKS])
    if way == "one file":
        desk.store(poison(rows))
        desk.gate()
    else:
        weekly(desk, poison(rows), "week", one_by_one=way == "one by one")
    n = len(rows)
    books = ("bet365", "bwin", "interwetten", "pinnacle", "williamhill", "betvictor")
    told = {(book, "h2h_3_way"): 3 * n for book in books}
    told |= {(book, market): 2 * n for book in ("bet365", "pinnacle") for market in ("spreads", "totals")}
    assert usable(desk) == {group: n for group, n in told.items() if group not in out}
    taken_out = {row.book for row in quarantined(desk.conn)}
    assert taken_out <= {book for book, _ in out}, "and no sound price, nor best price, is out for it"


def test_a_finding_is_not_undone_by_the_same_poison_in_pieces_but_by_what_is_right(desk: Desk) -> None:
    rows = with_lines(season()[:40])
    desk.store(handicaps_exchanged(rows), "whole.csv")
    desk.gate()
    desk.conn.execute(PRICED)
    for start in range(0, 40, WEEK):
        weekly(desk, handicaps_exchanged(rows)[start : start + WEEK], f"wrong{start}-")
        assert BET365 not in usable(desk)
    assert desk.rows(STATES) == [("open", 5)]
    weekly(desk, rows[:WEEK], "right0-")
    assert BET365 not in usable(desk), "of too few nobody knows whether they are right"
    weekly(desk, rows[WEEK:], "right1-")
    assert usable(desk)[BET365] == 80
    assert desk.gate().findings == []
    assert desk.rows(STATES) == [("accepted", 3), ("resolved", 5)]


def test_a_file_that_is_wrong_among_sound_ones_is_held_out_alone(desk: Desk) -> None:
    rows = with_lines(season()[:180])
    weekly(desk, rows[:150], "week", one_by_one=False)
    desk.conn.execute(PRICED)
    desk.store(handicaps_exchanged(rows[150:]), "wrong.csv")
    [finding] = desk.gate().findings
    assert (finding.file, finding.book) == (str(desk.folder / "wrong.csv"), "bet365")
    assert usable(desk)[BET365] == 300


def test_what_is_accepted_of_a_season_is_accused_by_nothing_that_came_with_it(desk: Desk) -> None:
    rows = exchanged(without(season()[:60], "Avg"), "BWH", "BWA")
    weekly(desk, rows, "week")
    assert {finding.book for finding in desk.gate().findings} == {"bwin"}
    [(sport, book)] = desk.rows("SELECT s.id, b.id FROM sports AS s, books AS b WHERE b.key = 'bwin'")
    wish = record_wish(desk.conn, Scope(sport, 2023, book_id=book), "ada", "looked at")
    decide(desk.conn, wish, "accepted", "ada", "looked at")
    for everything in (False, True):
        assert desk.gate(everything=everything).findings == []
        assert usable(desk)["bwin", "h2h_3_way"] == 180
    taken_out = {(row.book, row.check_name) for row in quarantined(desk.conn)}
    assert taken_out == {("max", "best_price")}, "what a book exceeds, that is accepted, is no best price"
    decide(desk.conn, wish, "excluded", "ada", "wrong after all")
    desk.gate()
    assert desk.rows(BEST) == [(180,)]
    assert quarantined(desk.conn) == []
