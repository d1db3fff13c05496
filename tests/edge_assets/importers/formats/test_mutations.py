"""Files with one change, as programs and people make them: nothing raises, and everything else is kept."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_assets.importers.formats import football_data, nfl_bmr, odds_ticks, pinnacle_mlb
from edge_assets.importers.formats.batch import AGGREGATE_KINDS, RejectedFileError
from edge_assets.importers.formats.source_units import ImportUnit
from tests.support.import_files import books, quotes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_assets.importers.formats.batch import ParseResult

pytestmark = pytest.mark.untraced

Files = dict[str, bytes]
ROW_REASONS = (
    "row_width", "row_too_long", "header_again", "behind_another_header", "text_too_long", "division_unknown",
    "teams_missing", "date_month_first", "time_malformed", "score_malformed", "result_contradicts_score", "match_twice",
    "same_team_twice",
)  # fmt: skip
JUNK = [
    b"", b" ", b"\0", b"a\0b", b"inf", b"-inf", b"nan", b"1e999", b"1e5", b"9" * 5_001, b"EVEN", b"PK", b"-2\xc2\xbd",
    b"4/5", b"0", b"1", b"-1", b"99999", b"2.5", b"1,9", b'"1,9"', b'"', b"x" * 9_000, b"\xff\xfe", b"\xc3\xa4", b"TBC",
    b"1/8/2020", b"31/02/2020", b"2020-02-30", b"0001-01-01T00:00:00+02:00", b"9999-12-31T23:59:59-02:00",
    b"2026-05-02 15:00", b"1777734000", b"1" + b"0" * 20, b"7:45 PM", b"25:99", b"\xe2\x80\xa8", b"'; DROP TABLE x",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class ValidUnit:
    """A valid file, its companions, and the event that each row is about."""

    read: Callable[[Files], ParseResult]
    files: Files
    changed: str
    event_of_row: Callable[[int], str]
    required: frozenset[str]


def _football(files: Files) -> ParseResult:
    return football_data.read("E0.csv", files["E0.csv"])


def _bmr(files: Files) -> ParseResult:
    return nfl_bmr.read("week_1.csv", files["week_1.csv"])


def _folder(read: Callable[[ImportUnit], ParseResult], main: str) -> Callable[[Files], ParseResult]:
    def of(files: Files) -> ParseResult:
        with TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in files]
            for path in paths:
                path.write_bytes(files[path.name])
            return read(ImportUnit(main, Path(folder), tuple(paths)))

    return of


MATCHES = [f"E0,{13 + n}/08/2022,15:00,Home {n},Away {n},2,1,H,1.{50 + n},4.25,7,1.9,-0.5,1.95,1.96" for n in range(6)]
FOOTBALL = "\n".join([
    "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A,Max>2.5,AHh,PAHH,PAHA", *MATCHES
]) + "\n"  # fmt: skip
SIDE = "26{n},2025,Sun 9/{d},1:00 PM,{r},{team} {n},20,FINAL,{s}2.5,-110,120,44.5,-108"
WEEK = "\n".join([
    "game_id,season,date,time,rotation,team,score,outcome,1_spread,1_spread_odds,1_moneyline,1_total,1_total_odds",
    *(SIDE.format(n=n, d=7 + n, r=450 + 2 * n + side, team=("Away", "Home")[side], s=("", "-")[side])
      for n in range(4) for side in (0, 1)),
]) + "\n"  # fmt: skip
POLLS = [f"2025-09-10T1{n}:00:00Z" for n in range(4)]
SEGMENTS = "\n".join([
    "event_id,bookmaker,market,outcome,point,price,first_seen_utc,last_seen_utc,n_obs,book_last_update",
    *(f"e{n},acme,spreads,{side} {n},{point},-1{n + 1}0,{POLLS[0]},{POLLS[2]},3,{POLLS[0]}"
      for n in range(4) for side, point in (("Home", -1.5), ("Away", 1.5))),
]) + "\n"  # fmt: skip
EVENTS = "\n".join([
    "event_id,commence_first,commence_last,home_team,away_team,first_seen_utc,last_seen_utc",
    *(f"e{n},2025-09-11T00:00:00Z,2025-09-11T00:00:00Z,Home {n},Away {n},{POLLS[0]},{POLLS[3]}" for n in range(4)),
]) + "\n"  # fmt: skip
TICKS = {
    "nfl_segments.csv": SEGMENTS.encode(),
    "nfl_events.csv": EVENTS.encode(),
    "nfl_snapshots.csv": "\n".join(["snapshot_utc", *POLLS]).encode(),
}
LINES = "\n".join([
    "game_no,SpreadTeam1,SpreadUS1,SpreadUS2,MoneyUS1,MoneyUS2,TotalPoints,TotalUSOver,TotalUSUnder,entered_utc",
    *(f"{n},1.5,-150,130,-10{n + 5},-105,9,100,-120,2016-05-11T1{at}:00:00Z" for n in range(4) for at in (0, 1)),
]) + "\n"  # fmt: skip
GAMES = "\n".join([
    "game_no,start_utc,away,home,away_score,home_score", *(f"{n},2016-05-11T23:05:00Z,A{n},H{n},4,5" for n in range(4))
]) + "\n"  # fmt: skip
MLB = {"lines.csv": LINES.encode(), "games.csv": GAMES.encode()}
VALID_UNITS = {
    "football-data": ValidUnit(_football, {"E0.csv": FOOTBALL.encode()}, "E0.csv", lambda row: f"Home {row}",
                           frozenset(("Div", "Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "FTR"))),
    "nfl-bmr": ValidUnit(_bmr, {"week_1.csv": WEEK.encode()}, "week_1.csv", lambda row: f"Home {row // 2}",
                     frozenset(nfl_bmr.REQUIRED_COLUMNS)),
    "segments": ValidUnit(_folder(odds_ticks.read, "nfl"), TICKS, "nfl_segments.csv", lambda row: f"Home {row // 2}",
                      frozenset(odds_ticks.SEGMENT_COLUMNS)),
    "events": ValidUnit(_folder(odds_ticks.read, "nfl"), TICKS, "nfl_events.csv", lambda row: f"Home {row}",
                    frozenset(odds_ticks.EVENT_COLUMNS)),
    "lines": ValidUnit(_folder(pinnacle_mlb.read, "mlb"), MLB, "lines.csv", lambda row: f"H{row // 2}",
                   frozenset(pinnacle_mlb.LINE_COLUMNS)),
    "games": ValidUnit(_folder(pinnacle_mlb.read, "mlb"), MLB, "games.csv", lambda row: f"H{row}",
                   frozenset(pinnacle_mlb.GAME_COLUMNS)),
}  # fmt: skip
kinds = pytest.mark.parametrize("unit", VALID_UNITS.values(), ids=VALID_UNITS)


def contents(parsed: ParseResult) -> set[tuple[object, ...]]:
    """Every quote and result, by the home team's name."""
    found: set[tuple[object, ...]] = set()
    for batch in parsed.batches:
        found |= {(event.home, event.away, event.start, event.report) for event in batch.events}
        for timed, sellers in ((batch.quotes, books(batch)), (batch.aggregates, list(AGGREGATE_KINDS))):
            quotes = quotes_of(batch, timed, sellers)
            found |= {(*quote, at) for quote, at in quotes.items()}
    return found


@cache
def contents_of(unit: ValidUnit) -> frozenset[tuple[object, ...]]:
    """Everything in the valid files."""
    return frozenset(contents(unit.read(unit.files)))


def rows_of(content: bytes) -> list[list[bytes]]:
    return [line.split(b",") for line in content.splitlines()]


def plain(field: bytes) -> bytes:
    """A field without the quotes and control characters that readers ignore."""
    return re.sub(rb'[\x00-\x20\x7f"]', b"", field)


def join_cells(rows: list[list[bytes]]) -> bytes:
    return b"\n".join(map(b",".join, rows)) + b"\n"


def read_changed(unit: ValidUnit, content: bytes) -> ParseResult:
    return unit.read({**unit.files, unit.changed: content})


@kinds
@given(data=st.data())
def test_an_invalid_field_does_not_affect_other_events(unit: ValidUnit, data: st.DataObject) -> None:
    rows = rows_of(unit.files[unit.changed])
    row = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    junk = data.draw(st.sampled_from(JUNK) | st.binary(max_size=9))
    # another game's number would be valid, and make both games ambiguous
    assume(plain(junk) not in {plain(other[column]) for other in rows})
    rows[row][column] = junk
    other_contents = {it for it in contents_of(unit) if it[0] != unit.event_of_row(row - 1)}
    assert other_contents
    assert other_contents <= contents(read_changed(unit, join_cells(rows)))


@kinds
@given(data=st.data())
def test_a_missing_repeated_or_truncated_row_does_not_affect_other_events(unit: ValidUnit, data: st.DataObject) -> None:
    rows = rows_of(unit.files[unit.changed])
    row = data.draw(st.integers(1, len(rows) - 1))
    fields = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row : row + 1] = data.draw(
        st.sampled_from([[], [rows[row]] * 2, [rows[row][:fields]], [rows[row] + [b"x"]], [[b"y" * 200_000]]])
    )
    other_contents = {it for it in contents_of(unit) if it[0] != unit.event_of_row(row - 1)}
    assert other_contents <= contents(read_changed(unit, join_cells(rows)))


@kinds
@given(data=st.data())
def test_columns_may_be_reordered_and_optional_ones_missing(unit: ValidUnit, data: st.DataObject) -> None:
    rows = rows_of(unit.files[unit.changed])
    order = data.draw(st.permutations(range(len(rows[0]))))
    kept = [i for i in order if rows[0][i].decode() in unit.required or data.draw(st.booleans())]
    found = contents(read_changed(unit, join_cells([[row[i] for i in order] for row in rows])))
    assert found == contents_of(unit)
    assert {it[0] for it in contents(read_changed(unit, join_cells([[row[i] for i in kept] for row in rows])))} <= {
        it[0] for it in found
    }


@kinds
@given(data=st.data())
def test_any_bytes_are_read_or_rejected(unit: ValidUnit, data: st.DataObject) -> None:
    content = unit.files[unit.changed]
    begin, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 40))
    damaged_bytes = content[:begin] + data.draw(st.binary(max_size=20)) + content[begin + length :]
    for damaged in (damaged_bytes, content[:begin], damaged_bytes[::-1]):
        with suppress(RejectedFileError):
            read_changed(unit, damaged)


@given(data=st.data())
def test_every_row_is_a_match_or_counted_as_rejected(data: st.DataObject) -> None:
    rows = rows_of(FOOTBALL.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        row, column = data.draw(st.integers(1, len(rows) - 1)), data.draw(st.integers(0, len(rows[0]) - 1))
        rows[row][column] = data.draw(st.sampled_from(JUNK))
    parsed = football_data.read("E0.csv", join_cells(rows))
    kept = sum(batch.rows for batch in parsed.batches)
    assert kept + sum(parsed.rejections.counts[reason] for reason in ROW_REASONS) == len(rows) - 1
