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
    parsed = read(folder(path, {"lines.csv": HEAD + "\n".join(lines) + "\n", "games.csv": GAMES}, "mlb"))
    return parsed.batches[0], parsed.rejections


def quotes_of(batch: ParsedBatch) -> set[tuple[str, str, str, float | None, float | None, int]]:
    """Game number, market, outcome, point, price and time of every quote."""
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


def test_unchanged_values_are_repeated_and_team_1_is_away(tmp_path: Path) -> None:
    batch, rejections = read_one(
        tmp_path,
        f"1,,,,-110.0,102.0,7.0,100,-110,{T[0]}",
        f"1,1.5,-200,170,-110.0,102.0,7.0,105,-115,{T[1]}",
        f"2,,,,-150,130,,,,{T[1]}",
    )
    assert quotes_of(batch) == {
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
    assert not rejections.counts
    assert not batch.time_assumed


def test_a_new_point_and_an_empty_field_withdraw_the_old_price(tmp_path: Path) -> None:
    rows = (f"1,,,,,,7.0,100,-110,{T[0]}", f"1,,,,,,7.5,100,-110,{T[1]}", f"1,,,,,,,,,{T[2]}")
    batch, _ = read_one(tmp_path, *rows)
    over = {row[3:] for row in quotes_of(batch) if row[2] == "over"}
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
def test_invalid_parts_are_rejected_and_the_rest_is_kept(tmp_path: Path, row: str, reasons: dict[str, int]) -> None:
    batch, rejections = read_one(tmp_path, f"1,,,,-110,102,,,,{T[0]}", row)
    assert rejections.counts == reasons
    assert len(batch.quotes) >= 2


def test_games_of_a_doubleheader_have_their_own_keys_and_results(tmp_path: Path) -> None:
    batch, _ = read_one(tmp_path, f"1,,,,-110,102,,,,{T[0]}")
    first, second = batch.events
    assert first.key != second.key
    assert first.report == GameReport.final(Score(4, 7))
    assert second.report is None


def test_a_unit_without_games_is_rejected(tmp_path: Path) -> None:
    part = folder(tmp_path, {"lines.csv": HEAD}, "mlb")
    with pytest.raises(RejectedFileError, match=r"file_missing \(games.csv\)"):
        read(part)


def test_a_row_without_a_time_is_rejected_and_the_others_are_kept(tmp_path: Path) -> None:
    line = "1,,,,-110,102,,,,"
    batch, rejections = read_one(tmp_path, f"{line}{T[0]}", f"{line}noon", line)
    assert rejections.counts == {"time_malformed": 1, "time_missing": 1}
    assert [(rejection.row, rejection.field) for rejection in rejections.examples] == [
        (4, "entered_utc"),
        (3, "entered_utc"),
    ]
    assert set(batch.quotes.observed_at.tolist()) == {at(T[0])}


def test_a_duplicate_game_number_rejects_both_games_only(tmp_path: Path) -> None:
    games = GAMES + "1,CHN201605110,2016-05-12T17:05:00Z,Reds,Cubs,7,4,1.0\n"
    lines = "".join(f"{number},,,,-110,102,,,,{T[0]}\n" for number in (1, 2))
    parsed = read(folder(tmp_path, {"lines.csv": HEAD + lines, "games.csv": games}, "mlb"))
    [batch] = parsed.batches
    assert ([event.key[0] for event in batch.events], len(batch.quotes)) == (["2"], 2)
    assert parsed.rejections.counts == {"row_contradicted": 2, "event_unknown": 1}


@pytest.mark.parametrize("score", ["inf,1", "2.5,1", "-1,1", "99999,1"])
def test_an_invalid_score_is_rejected_and_the_game_is_kept(tmp_path: Path, score: str) -> None:
    games = GAMES.replace("7,4", score)
    parsed = read(folder(tmp_path, {"lines.csv": HEAD, "games.csv": games}, "mlb"))
    assert [event.report for event in parsed.batches[0].events] == [None, None]
    assert parsed.rejections.counts.total() == 1


def test_closing_prices_predict_better_than_opening_prices(data_dir: Path) -> None:
    """The figures of the data's README, which also show that team 1 is the away team."""
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
