"""The gate on sound data, on real data, and on every poison that it is there for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.quality.canaries import CANARIES, Case
from edge_assets.store import readers
from edge_assets.store.quarantine import others_then, quarantined, release
from tests.edge_assets.quality.seasons import HEAD, dead, season, shifted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_assets.quality.seasons import Desk, Row

ABSURD = "5.5"
LATER = datetime(2024, 8, 1, tzinfo=UTC)
STATED = "SELECT price FROM odds_ticks WHERE event_id = {} AND price IS NOT NULL ORDER BY price"
PRICED = "INSERT INTO pricing.priced_polls SELECT id FROM polls ON CONFLICT DO NOTHING"


def absurd_season() -> list[Row]:
    """One book is at 5.5 where the others say 1.85, and so is the recorded best price."""
    rows = season()
    assert 1.8 < float(rows[0]["B365H"]) < 1.95
    rows[0] |= {"B365H": ABSURD, "MaxH": ABSURD}
    return rows


def test_a_sound_season_passes_whole(desk: Desk) -> None:
    desk.store(season())
    report = desk.gate()
    assert (report.events, report.ticks, report.quarantined) == (380, 380 * 3 * 7, 0)
    assert {finding.name for finding in report.findings} == CANARIES.keys()
    assert dead(report) == set()
    desk.conn.execute(PRICED)
    assert desk.gate().events == 0
    assert desk.gate(everything=True).events == 380


def test_a_real_season_passes_with_some_prices_taken_out(desk: Desk, data_dir: Path) -> None:
    desk.load(*(data_dir / "football_data_uk" / "1920" / f"{d}.csv" for d in ("E0", "SC3", "SP1")))
    report = desk.gate()
    assert dead(report) == set()
    assert 0 < report.quarantined < 0.01 * report.ticks
    assert {row.check_name for row in quarantined(desk.conn)} <= {"best_price", "overround", "palpable_price"}


def test_an_absurd_price_is_taken_out_with_the_reason_and_nobody_sees_it(desk: Desk) -> None:
    desk.store(absurd_season())
    [event] = desk.rows("SELECT id FROM events WHERE home_team = 'Town 0' AND away_team = 'Town 1'")[0]
    report = desk.gate()
    assert dead(report) == set()
    found = {row.book: row for row in quarantined(desk.conn)}
    assert found.keys() == {"bet365", "max"}
    price = found["bet365"]
    assert (price.check_name, price.price, price.outcome) == ("palpable_price", 5.5, "home")
    assert price.file == str(desk.folder / "E0.csv")
    assert price.reason.startswith("5.5 where 5 other books have a median of 1.8")
    assert len(others_then(desk.conn, price.id)) == 5
    assert desk.rows(STATED.format(event))[-1] < (5.5,)
    assert readers.as_of(desk.conn, event, LATER).quotes.price.max() < 5.5
    assert not desk.rows("SELECT FROM aggregate_ticks WHERE price = 5.5")
    # in another version of the file it does not come back
    desk.store([*absurd_season()[:-1], absurd_season()[-1] | {"B365H": "9"}], "again.csv")
    assert desk.rows(STATED.format(event))[-1] < (5.5,)


@pytest.mark.parametrize(("matches", "dies"), [(1, False), (2, False), (10, True)])
def test_a_wrong_price_among_few_kills_no_canary_and_many_do(desk: Desk, matches: int, dies: bool) -> None:
    rows = season()[:30]
    for row in rows[:matches]:
        row["B365H"] = f"{3 * float(row['B365H']):g}"
    desk.store(rows)
    report = desk.gate()
    assert report.quarantined == matches
    assert ("absurd_prices" in dead(report)) is dies


def test_releasing_a_price_brings_it_back_for_good(desk: Desk) -> None:
    desk.store(absurd_season())
    before = desk.rows("SELECT * FROM odds_ticks ORDER BY event_id, book_id, outcome_id")
    aggregates = desk.rows("SELECT * FROM aggregate_ticks ORDER BY event_id, kind, outcome_id")
    desk.gate()
    desk.conn.execute(PRICED)
    for row in quarantined(desk.conn):
        assert release(desk.conn, row.id, "ada")
        assert not release(desk.conn, row.id, "bob")
    assert desk.rows("SELECT * FROM odds_ticks ORDER BY event_id, book_id, outcome_id") == before
    assert desk.rows("SELECT * FROM aggregate_ticks ORDER BY event_id, kind, outcome_id") == aggregates
    assert {row.released_by for row in quarantined(desk.conn, released=True)} == {"ada"}
    report = desk.gate()
    assert report.events > 0, "the warehouse has to take its poll in anew"
    assert report.quarantined == 0
    assert quarantined(desk.conn) == []


def test_shifted_columns_of_a_whole_file_kill_a_canary(desk: Desk) -> None:
    desk.store(shifted(season()))
    assert "blind_betting" in dead(desk.gate())


def test_shifted_columns_of_one_book_are_taken_out_and_kill_canaries(desk: Desk) -> None:
    poisoned = [
        row | {"WHH": row["WHD"], "WHD": row["WHA"], "WHA": row["WHH"], "MaxH": "9", "MaxD": "9", "MaxA": "9"}
        for row in season()
    ]
    desk.store(poisoned)
    report = desk.gate()
    assert {"absurd_prices", "orientation"} <= dead(report)
    assert {row.book for row in quarantined(desk.conn, limit=10_000)} >= {"williamhill", "max"}


def test_rows_of_another_width_are_rejected_and_kill_a_canary(desk: Desk) -> None:
    sound = season()
    broken = [{name: row[name] for name in HEAD if name != "BWD" or i % 10} for i, row in enumerate(sound)]
    assert desk.store(broken).refused.counts == {"row_width": 38}
    report = desk.gate()
    assert dead(report) == {"row_width"}
    [finding] = [f for f in report.findings if f.name == "row_width"]
    assert finding.died_of == [Case(str(desk.folder / "E0.csv"), 380, 0.1)]


def test_scores_that_contradict_who_won_are_rejected_and_kill_a_canary(desk: Desk) -> None:
    exchanged = [row | {"FTHG": row["FTAG"], "FTAG": row["FTHG"]} for row in season()]
    desk.store(exchanged)
    assert "row_width" in dead(desk.gate())


def test_prices_in_play_are_not_bet_blindly(desk: Desk) -> None:
    """No flag tells them: they are those behind the start, here of a book that then offers 50 on everything."""
    desk.store(season())
    desk.conn.execute(
        "INSERT INTO odds_ticks (observed_at, poll_id, price, event_id, outcome_id, point, book_id, market_id) "
        "SELECT e.commence_at + interval '1 hour', t.poll_id, 50, t.event_id, t.outcome_id, t.point, t.book_id, "
        "t.market_id FROM odds_ticks AS t INNER JOIN events AS e ON t.event_id = e.id"
    )
    assert dead(desk.gate()) == set()


def test_exchanged_teams_of_one_book_kill_a_canary(desk: Desk) -> None:
    desk.store([row | {"IWH": row["IWA"], "IWA": row["IWH"]} for row in season()])
    assert "orientation" in dead(desk.gate())


@pytest.mark.parametrize(("home", "total"), [("0.5", "too much"), ("2", "too little")])
def test_sums_that_no_book_has_are_taken_out_and_kill_a_canary(desk: Desk, home: str, total: str) -> None:
    factor = float(home)
    names = ("PSH", "PSD", "PSA")
    desk.store([row | {n: f"{max(1.01, factor * float(row[n])):.2f}" for n in names} for row in season()[:60]])
    report = desk.gate()
    assert {"overround"} <= dead(report)
    assert report.quarantined >= 60


def test_best_prices_that_are_none_kill_a_canary(desk: Desk) -> None:
    desk.store([row | {"MaxH": f"{0.9 * float(row['AvgH']):.2f}"} for row in season()])
    report = desk.gate()
    assert dead(report) == {"best_price"}
    assert {row.reason.split(" is ")[1][:8] for row in quarantined(desk.conn)} == {"recorded"}


def test_contradicted_results_kill_a_canary(desk: Desk) -> None:
    desk.store(season())
    desk.conn.execute(
        "INSERT INTO results SELECT event_id, observed_at, 'espn', period, status, home_score + 1, away_score "
        "FROM results WHERE event_id % 10 = 0"
    )
    assert dead(desk.gate()) == {"results"}
