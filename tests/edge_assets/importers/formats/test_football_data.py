from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.importers.formats.batch import AGGREGATE_KINDS, RejectedFileError
from edge_assets.importers.formats.football_columns import DISTINCT_BOOKS
from edge_assets.importers.formats.football_data import read
from edge_assets.importers.formats.football_times import parse_match_times
from ml.game_statistics import Statistic
from ml.quotes import Market
from ml.settlement import GameReport, Score
from tests.support.import_files import books, quotes_of

if TYPE_CHECKING:
    from pathlib import Path

BEFORE_2019 = (
    "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HC,AC,B365H,B365D,B365A,PSH,PSD,PSA,BbMxH,BbAvH,BbMx>2.5,BbAv<2.5,"
    "BbAHh,BbMxAHH,BbAvAHA,PSCH,PSCD,PSCA\n"
    "E0,18/08/12,Reds,Blues,2,1,H,9,4,1.5,4.25,7,1.52,4.3,7.1,1.55,1.51,1.95,1.9,-1.25,2.02,1.93,1.48,4.4,7.5\n"
)
SINCE_2019 = (
    "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,BWCH,P>2.5,P<2.5,MaxC<2.5,AHh,PAHH,PAHA,AHCh,PCAHH,PCAHA,AvgCAHA\n"
    "D1,10/08/2019,12:30,Reds,Blues,0,0,D,2.5,1.9,2,2.05,-0.25,1.95,1.96,0,1.7,2.2,2.1\n"
)
HEAD = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A"
GOOD = "E0,18/08/2012,Greens,Greys,1,1,D,2,3,4"


def at(text: str) -> int:
    return to_micros(datetime.fromisoformat(text).astimezone(UTC))


def read_one(text: str | bytes) -> Any:
    parsed = read("E0.csv", text if isinstance(text, bytes) else text.encode())
    [batch] = parsed.batches
    return batch, parsed.rejections


def test_a_file_from_before_2019() -> None:
    batch, rejections = read_one(BEFORE_2019)
    friday, start = at("2012-08-17T16:00:00+00:00"), at("2012-08-18T14:00:00+00:00")
    assert batch.sport == "soccer_epl"
    assert batch.time_assumed
    [event] = batch.events
    assert (event.home, event.away, event.start, event.start_assumed) == ("Reds", "Blues", start, True)
    assert event.report == GameReport.final(Score(2, 1), Score(2, 1))
    close = start - 1_000_000
    assert quotes_of(batch, batch.quotes, books(batch)) == {
        ("Reds", "bet365", "h2h_3_way", "home", None, 1.5): friday,
        ("Reds", "bet365", "h2h_3_way", "draw", None, 4.25): friday,
        ("Reds", "bet365", "h2h_3_way", "away", None, 7.0): friday,
        ("Reds", "pinnacle", "h2h_3_way", "home", None, 1.52): friday,
        ("Reds", "pinnacle", "h2h_3_way", "draw", None, 4.3): friday,
        ("Reds", "pinnacle", "h2h_3_way", "away", None, 7.1): friday,
        ("Reds", "pinnacle", "h2h_3_way", "home", None, 1.48): close,
        ("Reds", "pinnacle", "h2h_3_way", "draw", None, 4.4): close,
        ("Reds", "pinnacle", "h2h_3_way", "away", None, 7.5): close,
    }
    assert quotes_of(batch, batch.aggregates, list(AGGREGATE_KINDS)) == {
        ("Reds", "max", "h2h_3_way", "home", None, 1.55): friday,
        ("Reds", "avg", "h2h_3_way", "home", None, 1.51): friday,
        ("Reds", "max", "totals", "over", 2.5, 1.95): friday,
        ("Reds", "avg", "totals", "under", 2.5, 1.9): friday,
        ("Reds", "max", "spreads", "home", -1.25, 2.02): friday,
        ("Reds", "avg", "spreads", "away", 1.25, 1.93): friday,
    }
    assert not rejections.counts


def test_a_file_since_2019_has_times_and_all_closing_prices() -> None:
    batch, _ = read_one(SINCE_2019)
    friday, start = at("2019-08-09T16:00:00+00:00"), at("2019-08-10T11:30:00+00:00")
    assert (batch.sport, batch.events[0].start, batch.events[0].start_assumed) == (
        "soccer_germany_bundesliga",
        start,
        False,
    )
    close = start - 1_000_000
    assert quotes_of(batch, batch.quotes, books(batch)) == {
        ("Reds", "bwin", "h2h_3_way", "home", None, 2.5): close,
        ("Reds", "pinnacle", "totals", "over", 2.5, 1.9): friday,
        ("Reds", "pinnacle", "totals", "under", 2.5, 2.0): friday,
        ("Reds", "pinnacle", "spreads", "home", -0.25, 1.95): friday,
        ("Reds", "pinnacle", "spreads", "away", 0.25, 1.96): friday,
        ("Reds", "pinnacle", "spreads", "home", 0.0, 1.7): close,
        ("Reds", "pinnacle", "spreads", "away", 0.0, 2.2): close,
    }
    assert set(quotes_of(batch, batch.aggregates, list(AGGREGATE_KINDS))) == {
        ("Reds", "max", "totals", "under", 2.5, 2.05),
        ("Reds", "avg", "spreads", "away", 0.0, 2.1),
    }


def test_a_books_own_handicap_takes_precedence() -> None:
    head = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,BbAHh,B365AHH,B365AHA,B365AH"
    batch, _ = read_one(f"{head}\nE0,18/08/12,Reds,Blues,2,1,H,-1,1.9,2,-0.75\n")
    assert batch.quotes.quotes.point.tolist() == [-0.75, 0.75]


@pytest.mark.parametrize(
    ("day", "clock", "pre_match", "start"),
    [
        ("17/08/2019", "15:00", "2019-08-16T16:00+00:00", "2019-08-17T14:00+00:00"),  # Saturday, summer time
        ("19/08/2019", "20:00", "2019-08-16T16:00+00:00", "2019-08-19T19:00+00:00"),  # Monday
        ("07/12/2022", "19:45", "2022-12-06T17:00+00:00", "2022-12-07T19:45+00:00"),  # Wednesday, winter time
        ("16/08/2019", "17:30", "2019-08-16T15:30+00:00", "2019-08-16T16:30+00:00"),  # Friday before five
        ("01/01/19", "", "2019-01-01T17:00+00:00", "2019-01-01T19:45+00:00"),  # Tuesday, no time
        ("27/10/2019", "12:00", "2019-10-25T16:00+00:00", "2019-10-27T12:00+00:00"),  # clocks went back
    ],
)
def test_assumed_times(day: str, clock: str, pre_match: str, start: str) -> None:
    times = parse_match_times(day, clock)
    assert (times.pre_match, times.start, times.closing) == (at(pre_match), at(start), at(start) - 1_000_000)
    assert times.start_assumed is (clock == "")


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\nE0,18/08/2012,Malmö,Blues,1,1,D,2,3,4\n".encode("cp1252"),
        f"{HEAD}\nE0,18/08/12,Malmö,Blues,1,1,D,2,3,4\n".encode("utf-8-sig"),
    ],
    ids=["cp1252", "utf-8 with BOM"],
)
def test_both_encodings_and_both_date_formats_are_read(content: bytes) -> None:
    batch, _ = read_one(content)
    assert batch.events[0].home == "Malmö"
    assert batch.events[0].start == at("2012-08-18T14:00:00+00:00")


@pytest.mark.parametrize(
    ("row", "reason", "field", "n"),
    [
        ("E0,18/08/2012,Reds,Blues,2,1,H,2,3", "row_width", None, 1),
        ("E0,18/08/2012,Reds,Blues,2,1,H,2,3,4,5", "row_width", None, 1),
        ("E0,31/02/2012,Reds,Blues,2,1,H,2,3,4", "time_malformed", "Date", 1),
        ("E0,18/08/2012,Reds,Blues,2,1,A,2,3,4", "result_contradicts_score", "FTR", 1),
        ("E0,18/08/2012,Reds,Blues,two,1,H,2,3,4", "score_malformed", "FTHG", 1),
        ("E0,18/08/2012,Reds,Reds,2,1,H,2,3,4", "same_team_twice", "HomeTeam", 1),
        ("E0,18/08/2012,Same,same,2,1,H,2,3,4", "same_team_twice", "HomeTeam", 1),
        ("E0,18/08/2012,\u200b,Blues,2,1,H,2,3,4", "teams_missing", "HomeTeam", 1),
        ("XX,18/08/2012,Reds,Blues,2,1,H,2,3,4", "division_unknown", "Div", 1),
        (GOOD, "match_twice", "HomeTeam", 1),
    ],
)
def test_an_invalid_row_is_rejected_and_the_others_are_kept(row: str, reason: str, field: str | None, n: int) -> None:
    batch, rejections = read_one(f"{HEAD}\n{GOOD}\n{row}\n")
    assert [event.home for event in batch.events] == ["Greens"]
    assert rejections.counts == {reason: n}
    [rejection] = rejections.examples
    assert (rejection.file, rejection.row, rejection.field) == ("E0.csv", 3, field)
    assert rejection.remedy


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("1.0", "price_not_above_one"),
        ("0", "price_not_above_one"),
        ("2.O", "number_malformed"),
        ("1e9", "price_absurd"),
    ],
)
def test_an_invalid_price_is_rejected_and_the_others_of_its_row_are_kept(price: str, reason: str) -> None:
    batch, rejections = read_one(f"{HEAD}\nE0,18/08/2012,Reds,Blues,2,1,H,{price},3,4\n")
    assert batch.quotes.quotes.price.tolist() == [3, 4]
    assert rejections.counts == {reason: 1}
    assert (rejections.examples[0].row, rejections.examples[0].field) == (2, "B365H")


def test_empty_trailing_fields_and_empty_rows_are_ignored() -> None:
    batch, rejections = read_one(f"{HEAD},,\n{GOOD},,,,\n,,,,,,,,,\n\n")
    assert (len(batch.events), len(batch.quotes), rejections.counts) == (1, 3, {})


def test_implausible_prices_and_aggregates_are_imported_unchanged() -> None:
    """The quality checks decide about them, and need the original row."""
    text = f"{HEAD},MaxH,MaxCD,AvgCD\nE0,18/08/2012,Reds,Blues,2,1,H,5.5,3,4,1.85,41,3.45\n"
    batch, rejections = read_one(text)
    assert batch.quotes.quotes.price.tolist() == [5.5, 3, 4]
    assert sorted(batch.aggregates.quotes.price.tolist()) == [1.85, 3.45, 41]
    assert not rejections.counts


def test_a_handicap_price_without_a_line_is_rejected() -> None:
    batch, rejections = read_one(f"{HEAD},AHh,PAHH\n{GOOD},,1.9\n")
    assert (len(batch.quotes), rejections.counts) == (3, {"handicap_missing": 1})


def test_an_unknown_column_is_reported() -> None:
    _, rejections = read_one(f"{HEAD},NEWH\n{GOOD},1.9\n")
    assert (rejections.counts, rejections.examples[0].field) == ({"column_unknown": 1}, "NEWH")


def test_a_future_match_has_no_result() -> None:
    batch, _ = read_one(f"{HEAD}\nE0,18/08/2012,Reds,Blues,,,,2,3,4\n")
    assert batch.events[0].report is None
    assert len(batch.quotes) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "columns_missing"), ("Div,Date\n", "columns_missing"), (f"{HEAD},B365H\n", "column_twice")],
)
def test_another_file_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(RejectedFileError, match=reason):
        read("E0.csv", text.encode())


@pytest.mark.parametrize(
    ("day", "start"),
    [
        ("1/8/2020", "2020-08-01"),
        ("12/9/20", "2020-09-12"),
        ("1/08/20", "2020-08-01"),
        ("2020-08-01", "2020-08-01"),
        ("29/02/2020", "2020-02-29"),
        ("13/08/93", "1993-08-13"),
    ],
)
def test_dates_in_several_notations_give_the_same_key(day: str, start: str) -> None:
    batch, _ = read_one(f"{HEAD}\nE0,{day},Reds,Blues,2,1,H,2,3,4\n")
    [event] = batch.events
    assert datetime.fromtimestamp(event.start / 1e6, UTC).date().isoformat() == start
    assert re.fullmatch(r"E0:\d\d/\d\d/(\d\d|\d{4}):Reds:Blues", event.key)


@pytest.mark.parametrize(
    "day", ["29/02/2021", "1/1/1", "01/01/0001", "31/12/9999", "1/2", "01-02-2020", "2/3/4/5", "\u0661/1/2020"]
)
def test_invalid_dates_are_rejected(day: str) -> None:
    _, rejections = read_one(f"{HEAD}\n{GOOD}\nE0,{day},Reds,Blues,2,1,H,2,3,4\n")
    assert rejections.counts == {"time_malformed": 1}


def test_a_month_first_file_is_rejected_but_a_single_such_date_only_by_itself() -> None:
    row = "E0,{},Team {},Blues,2,1,H,2,3,4"
    american = [row.format(day, n) for n, day in enumerate(["8/15/2025", "08/09/2025"])]
    parsed = read("E0.csv", "\n".join([HEAD, *american]).encode())
    assert not parsed.batches
    assert parsed.rejections.counts == {"date_month_first": 2}
    batch, rejections = read_one("\n".join([HEAD, *american, row.format("16/08/2025", 9)]))
    assert (len(batch.events), rejections.counts) == (2, {"time_malformed": 1})


@pytest.mark.parametrize(
    ("clock", "start"),
    [
        ("19:45:00", "18:45"), ("7:45 PM", "18:45"), ("12:05 am", "23:05"), ("19.45", "18:45"), ("9:05", "08:05"),
        ("TBC", None), ("25:00", None), ("13:00 PM", None), ("19:45 Uhr", None),
    ],
)  # fmt: skip
def test_a_kick_off_is_read_or_assumed(clock: str, start: str | None) -> None:
    head = HEAD.replace("Date,", "Date,Time,")
    batch, rejections = read_one(f"{head}\nE0,18/08/2012,{clock},Reds,Blues,2,1,H,2,3,4\n")
    [event] = batch.events
    assert event.start_assumed is (start is None)
    assert f"{datetime.fromtimestamp(event.start / 1e6, UTC):%H:%M}" == (start or "14:00")
    assert rejections.counts == ({} if start else {"kick_off_unknown": 1})


@pytest.mark.parametrize("goals", ["inf", "1e999", "99999", "-1", "2.5", "nan", "9" * 5_001, "two"])
def test_invalid_scores_are_rejected(goals: str) -> None:
    _, rejections = read_one(f"{HEAD}\n{GOOD}\nE0,18/08/2012,Reds,Blues,{goals},1,H,2,3,4\n")
    assert rejections.counts == {"score_malformed": 1}


@pytest.mark.parametrize(
    ("result", "events", "reasons"),
    [
        (",,P", 1, {"result_unknown": 1}),
        ("-,-,-", 1, {}),
        ("1,0,", 0, {"result_contradicts_score": 1}),
        ("1,,H", 0, {"score_malformed": 1}),
    ],
)
def test_an_unfinished_match_has_no_result(result: str, events: int, reasons: dict[str, int]) -> None:
    parsed = read("E0.csv", f"{HEAD}\nE0,18/08/2012,Reds,Blues,{result},2,3,4\n".encode())
    assert [event.report for batch in parsed.batches for event in batch.events] == [None] * events
    assert parsed.rejections.counts == reasons


@pytest.mark.parametrize("point", ["0,-0.5", "pk", "inf", "1e39", "2000"])
def test_an_invalid_handicap_makes_no_quote(point: str) -> None:
    batch, rejections = read_one(f'{HEAD},AHh,PAHH\n{GOOD},"{point}",1.9\n')
    assert len(batch.quotes) == 3
    assert sum(rejections.counts.values()) == 2


def test_prices_of_extra_leagues_are_closing_prices() -> None:
    head = "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,"
    row = "Norway,Eliteserien,2023,10/04/2023,17:00,Reds,Blues,0,2,A,"
    for columns in ("PH,MaxA,PSCD", "PSCH,MaxCA,PSCD"):
        batch, rejections = read_one(f"{head}{columns}\n{row}2.5,3.1,3.4\n")
        close = at("2023-04-10T16:00:00+00:00") - 1_000_000
        assert batch.sport == "soccer_norway_eliteserien"
        assert batch.events[0].report == GameReport.final(Score(0, 2), Score(0, 2))
        assert set(quotes_of(batch, batch.quotes, books(batch)).values()) == {close}
        assert (len(batch.quotes), len(batch.aggregates), rejections.counts) == (2, 1, {})


def test_a_fixture_list_has_several_leagues_and_counts_a_price_once() -> None:
    head = "Div,Date,Time,HomeTeam,AwayTeam,B365H,B365D"
    text = f"{head}\nE0,05/12/2026,15:00,Reds,Blues,1.5,0\nD1,05/12/2026,15:00,Greens,Greys,1.6,4\n"
    parsed = read("fixtures.csv", text.encode())
    assert [(batch.sport, len(batch.quotes)) for batch in parsed.batches] == [
        ("soccer_epl", 1), ("soccer_germany_bundesliga", 2)
    ]  # fmt: skip
    assert [event.report for batch in parsed.batches for event in batch.events] == [None, None]
    assert parsed.rejections.counts == {"price_not_above_one": 1}


def test_a_file_without_one_result_column_is_not_a_fixture_list() -> None:
    with pytest.raises(RejectedFileError, match=r"columns_missing \(FTR\)"):
        read("E0.csv", b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\n")


@pytest.mark.untraced
def test_the_recorded_files_have_known_counts(data_dir: Path) -> None:
    """The figures of the data's README."""
    results = sharp_and_best = 0
    pinnacle = next(i for i, book in enumerate(DISTINCT_BOOKS) if book.key == "pinnacle")
    for path in sorted((data_dir / "football_data_uk").glob("*/*.csv")):
        for batch in read(path.name, path.read_bytes()).batches:
            results += sum(event.report is not None for event in batch.events)
            whole = np.ones(len(batch.events), bool)
            for timed, book_index in ((batch.quotes, pinnacle), (batch.aggregates, AGGREGATE_KINDS.index("max"))):
                quotes = timed.quotes
                starts = np.array([event.start for event in batch.events])[quotes.event]
                before = (timed.observed_at != starts - 1_000_000) & (quotes.market == Market.H2H_3_WAY)
                counts = np.bincount(quotes.event[before & (quotes.book == book_index)], minlength=len(whole))
                whole &= counts == 3
            sharp_and_best += int(whole.sum())
    assert (results, sharp_and_best) == (62_149, 61_817)


STATISTICS = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HS,AS,HST,AST,HC,AC\n"


@pytest.mark.parametrize(
    ("counts", "reasons"),
    [
        ("14,9,6,3,5,4", {}),
        ("14.0,9,6,3,,", {}),
        ("14,9,6,3,77,4", {"statistic_absurd": 1}),
        ("14,9,6,3,5.5,-1", {"statistic_absurd": 2}),
        ("14,9,6,3,x,4", {"number_malformed": 1, "statistic_of_one_side": 1}),
        ("14,9,6,3,5,", {"statistic_of_one_side": 1}),
        ("5,9,6,3,5,4", {"statistic_contradicted": 1}),
    ],
)
def test_odd_statistics_are_left_out_and_named(counts: str, reasons: dict[str, int]) -> None:
    batch, rejections = read_one(f"{STATISTICS}E0,18/08/2012,Reds,Blues,2,1,H,{counts}\n")
    event, statistic, home, away = (column.tolist() for column in batch.statistics)
    stated = {Statistic(number): sides for number, *sides in zip(statistic, home, away, strict=True)}
    shots = int(float(counts.split(",", maxsplit=1)[0]))
    assert set(event) == {0}
    assert stated[Statistic.SHOTS] == [shots, 9]
    assert stated.get(Statistic.SHOTS_ON_TARGET) == ([6, 3] if shots >= 6 else None)
    assert (Statistic.CORNERS in stated) == (counts.endswith("5,4") and "77" not in counts)
    assert rejections.counts == reasons
    assert all(example.row == 2 and example.field for example in rejections.examples)


def test_statistics_of_a_match_without_a_result_are_left_out() -> None:
    batch, rejections = read_one(f"{STATISTICS}E0,18/08/2012,Reds,Blues,,,,14,9,6,3,5,4\n")
    assert not len(batch.statistics.event)
    assert rejections.counts == {"statistics_without_result": 1}


def test_book_keys_are_unique() -> None:
    assert len({book.key for book in DISTINCT_BOOKS}) == len(DISTINCT_BOOKS)
    assert all(re.fullmatch(r"[a-z0-9_]+", book.key) for book in DISTINCT_BOOKS)
