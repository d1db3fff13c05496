from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.formats.pinnacle_mlb import read
from edge_assets.importers.formats.source_units import find_folder_units
from ml.quotes import Market, Outcome
from ml.settlement import GameReport, Score
from tests.support.import_files import folder

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.importers.formats.batch import ParsedBatch, Rejections

GAMES = (
    "game_no,baseball_ref_id,start_utc,away,home,away_score,home_score,double_header_game\n"
    "1,CHN201605110,2016-05-11T17:05:00Z,Reds,Cubs,7,4,1.0\n2,CHN201605110,2016-05-11T23:05:00Z,Reds,Cubs,,,2.0\n"
)
HEAD = "game_no,SpreadTeam1,SpreadUS1,SpreadUS2,MoneyUS1,MoneyUS2,TotalPoints,TotalUSOver,TotalUSUnder,entered_utc\n"
T = [f"2016-05-11T1{n}:00:00.123Z" for n in range(5)]


def read_one(path: Path, *lines: str) -> tuple[ParsedBatch, Rejections]:
    reading = read(folder(path, {"lines.csv": HEAD + "\n".join(lines) + "\n", "games.csv": GAMES}, "mlb"))
    return reading.batches[0], reading.rejections


def seen(batch: ParsedBatch) -> set[tuple[str, str, str, float | None, float | None, int]]:
    """Number of the game, market, outcome, point, price, moment."""
    columns = [c.tolist() for c in batch.quotes.quotes.columns()]
    return {
        (
            batch.events[e].key[0],
            Market(m).key,
            Outcome(o).key,
            None if np.isnan(p) else p,
            None if np.isnan(v) else round(v, 4),
            at,
        )
        for e, _, m, o, p, v, _, at in zip(*columns, batch.quotes.observed_at.tolist(), strict=True)
    }


def at(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))


def test_a_row_repeats_what_did_not_change_and_team_1_is_away(tmp_path: Path) -> None:
    batch, refused = read_one(
        tmp_path,
        f"1,,,,-110.0,102.0,7.0,100,-110,{T[0]}",
        f"1,1.5,-200,170,-110.0,102.0,7.0,105,-115,{T[1]}",
        f"2,,,,-150,130,,,,{T[1]}",
    )
    assert seen(batch) == {
        ("1", "h2h", "away", None, 1.9091, at(T[0])),
        ("1", "h2h", "home", None, 2.02, at(T[0])),
        ("1", "totals", "over", 7.0, 2.0, at(T[0])),
        ("1", "totals", "under", 7.0, 1.9091, at(T[0])),
        ("1", "spreads", "away", 1.5, 1.5, at(T[1])),
        ("1", "spreads", "home", -1.5, 2.7, at(T[1])),
        ("1", "totals", "over", 7.0, 2.05, at(T[1])),
        ("1", "totals", "under", 7.0, 1.8696, at(T[1])),
        ("2", "h2h", "away", None, 1.6667, at(T[1])),
        ("2", "h2h", "home", None, 2.3, at(T[1])),
    }
    assert not refused.counts
    assert not batch.time_assumed


def test_another_point_takes_the_old_one_away_and_an_empty_field_is_a_withdrawal(tmp_path: Path) -> None:
    rows = (f"1,,,,,,7.0,100,-110,{T[0]}", f"1,,,,,,7.5,100,-110,{T[1]}", f"1,,,,,,,,,{T[2]}")
    batch, _ = read_one(tmp_path, *rows)
    over = {row[3:] for row in seen(batch) if row[2] == "over"}
    assert over == {
        (7.0, 2.0, at(T[0])),
        (7.5, 2.0, at(T[1])),
        (7.0, None, at(T[1])),
        (7.5, None, at(T[2])),
    }


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        (f"9,,,,-110,102,,,,{T[1]}", {"event_unknown": 1}),
        (f"1,,,,50,102,,,,{T[1]}", {"price_not_american": 1}),
        (f"1,,-110,100,,,,,,{T[1]}", {"handicap_missing": 2}),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_kept(tmp_path: Path, row: str, reasons: dict[str, int]) -> None:
    batch, refused = read_one(tmp_path, f"1,,,,-110,102,,,,{T[0]}", row)
    assert refused.counts == reasons
    assert len(batch.quotes) >= 2


def test_games_of_a_doubleheader_have_their_own_keys_and_results(tmp_path: Path) -> None:
    batch, _ = read_one(tmp_path, f"1,,,,-110,102,,,,{T[0]}")
    first, second = batch.events
    assert first.key != second.key
    assert first.report == GameReport.final(Score(4, 7))
    assert second.report is None


def test_a_file_without_its_games_is_refused(tmp_path: Path) -> None:
    part = folder(tmp_path, {"lines.csv": HEAD}, "mlb")
    with pytest.raises(RejectedFileError, match=r"file_missing \(games.csv\)"):
        read(part)


def test_a_line_without_a_time_is_told_and_the_others_kept(tmp_path: Path) -> None:
    line = "1,,,,-110,102,,,,"
    batch, refused = read_one(tmp_path, f"{line}{T[0]}", f"{line}noon", line)
    assert refused.counts == {"time_malformed": 1, "time_missing": 1}
    assert [(refusal.row, refusal.field) for refusal in refused.examples] == [(4, "entered_utc"), (3, "entered_utc")]
    assert set(batch.quotes.observed_at.tolist()) == {at(T[0])}


def test_a_number_that_two_games_have_names_neither_and_costs_no_other_game(tmp_path: Path) -> None:
    games = GAMES + "1,CHN201605110,2016-05-12T17:05:00Z,Reds,Cubs,7,4,1.0\n"
    lines = "".join(f"{number},,,,-110,102,,,,{T[0]}\n" for number in (1, 2))
    reading = read(folder(tmp_path, {"lines.csv": HEAD + lines, "games.csv": games}, "mlb"))
    [batch] = reading.batches
    assert ([event.key[0] for event in batch.events], len(batch.quotes)) == (["2"], 2)
    assert reading.rejections.counts == {"row_contradicted": 2, "event_unknown": 1}


@pytest.mark.parametrize("score", ["inf,1", "2.5,1", "-1,1", "99999,1"])
def test_a_score_that_is_none_leaves_the_game(tmp_path: Path, score: str) -> None:
    games = GAMES.replace("7,4", score)
    reading = read(folder(tmp_path, {"lines.csv": HEAD, "games.csv": games}, "mlb"))
    assert [event.report for event in reading.batches[0].events] == [None, None]
    assert reading.rejections.counts.total() == 1


def test_the_recorded_season_s_close_forecasts_better_than_its_opening(data_dir: Path) -> None:
    """The figures of the data's README; they also show which team is the first one."""
    [part] = find_folder_units([data_dir / "pinnacle_mlb2016"], "lines.csv", ("games.csv",))
    [batch] = read(part).batches
    quotes = batch.quotes.quotes
    starts = np.array([event.start for event in batch.events])
    before = (quotes.market == Market.H2H) & (batch.quotes.observed_at < starts[quotes.event]) & ~np.isnan(quotes.price)
    price = np.full((2, 2, len(starts)), np.nan)
    order = np.flatnonzero(before)[np.argsort(batch.quotes.observed_at[before], kind="stable")]
    side = (quotes.outcome == Outcome.AWAY).astype(int)
    price[1, side[order], quotes.event[order]] = quotes.price[order]
    price[0, side[order[::-1]], quotes.event[order[::-1]]] = quotes.price[order[::-1]]
    home = 1 / price[:, 0] / (1 / price).sum(axis=1)
    scores = np.array([event.report.full if event.report else (0, 0) for event in batch.events])
    won, decided = scores[:, 0] > scores[:, 1], (scores[:, 0] != scores[:, 1]) & ~np.isnan(home).any(axis=0)
    loss = -np.log(np.where(won, home, 1 - home))[:, decided].mean(axis=1)
    assert [f"{each:.4f}" for each in loss] == ["0.6773", "0.6735"]
