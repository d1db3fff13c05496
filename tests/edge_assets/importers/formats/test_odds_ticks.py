from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.clock import to_micros
from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.formats.odds_ticks import read
from ml.quotes import UNKNOWN_TIME
from ml.settlement import GameReport, GameStatus, Score
from tests.support.import_files import books, folder, quotes_of

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.importers.formats.batch import ParsedBatch, Rejections

POLLS = [f"2025-09-10T1{n}:00:00Z" for n in range(5)]
EVENTS = (
    "event_id,commence_first,commence_last,home_team,away_team,first_seen_utc,last_seen_utc,n_snapshots\n"
    f"e1,2025-09-10T13:30:00Z,2025-09-10T13:40:00Z,Reds,Blues,{POLLS[0]},{POLLS[3]},4\n"
    f"e2,2025-09-12T13:00:00Z,2025-09-12T13:00:00Z,Greens,Greys,{POLLS[0]},{POLLS[4]},5\n"
)
HEAD = "event_id,bookmaker,market,outcome,point,price,first_seen_utc,last_seen_utc,n_obs,book_last_update\n"
RESULTS = "event_id,commence_last,home,away,home_score,away_score,week,outcome\n"


def segment(first: int, last: int, price: str, rest: str = "e1,acme,h2h,Reds,") -> str:
    return f"{rest},{price},{POLLS[first]},{POLLS[last]},{last - first + 1},2025-09-10T09:59:50Z\n"


def read_one(path: Path, segments: str, results: str = RESULTS, events: str = EVENTS) -> tuple[ParsedBatch, Rejections]:
    snapshots = "snapshot_utc,n_events\n" + "".join(f"{poll},2\n" for poll in POLLS)
    files = {
        "nfl_segments.csv": HEAD + segments,
        "nfl_events.csv": events,
        "nfl_snapshots.csv": snapshots,
        "nfl_results.csv": results,
    }
    parsed = read(folder(path, files, "season"))
    return parsed.batches[0], parsed.rejections


def at(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))


def test_segments_are_changes_and_withdrawals(tmp_path: Path) -> None:
    """A price, another at the next poll, a gap, and the same price again until the last poll."""
    rows = segment(0, 0, "-110") + segment(1, 1, "+150") + segment(3, 4, "150")
    batch, rejections = read_one(tmp_path, rows)
    order = batch.quotes.observed_at.argsort()
    prices = [None if price != price else price for price in batch.quotes.quotes.price[order].tolist()]  # noqa: PLR0124
    assert prices == [1 + 100 / 110, 2.5, None, 2.5]
    assert batch.quotes.observed_at[order].tolist() == [at(poll) for poll in POLLS[:4]]
    assert batch.poll_times.tolist() == [at(poll) for poll in POLLS]
    assert not rejections.counts


def test_an_unchanged_price_in_two_segments_is_one_tick(tmp_path: Path) -> None:
    batch, _ = read_one(tmp_path, segment(0, 1, "-110") + segment(2, 4, "-110"))
    assert batch.quotes.observed_at.tolist() == [at(POLLS[0])]


@pytest.mark.parametrize("junk", ["-2147483648", "1000000", "-1000000"])
def test_in_play_placeholders_are_not_prices(tmp_path: Path, junk: str) -> None:
    batch, rejections = read_one(tmp_path, segment(0, 4, "-110") + segment(0, 4, junk, "e1,other,h2h,Reds,"))
    assert (len(batch.quotes), rejections.counts) == (1, {"price_absurd": 1})


def test_an_invalid_price_is_rejected_and_withdraws_the_previous_one(tmp_path: Path) -> None:
    batch, rejections = read_one(tmp_path, segment(0, 0, "-110") + segment(1, 2, "-2147483648") + segment(3, 4, "50"))
    assert rejections.counts == {"price_absurd": 1, "price_not_american": 1}
    assert (rejections.examples[0].row, rejections.examples[0].field) == (4, "price")
    assert {(None if p != p else p) for p in batch.quotes.quotes.price.tolist()} == {1 + 100 / 110, None}  # noqa: PLR0124
    assert sorted(batch.quotes.observed_at.tolist()) == [at(POLLS[0]), at(POLLS[1])]


def test_a_draw_makes_a_three_way_market_and_outcomes_are_matched_by_name(tmp_path: Path) -> None:
    three = [segment(0, 4, "200", f"e1,acme,h2h,{name},") for name in ("Blues", "Draw", "Reds")]
    two = [segment(0, 4, "-120", f"e1,other,h2h,{name},") for name in ("Blues", "Reds")]
    total = segment(0, 4, "-105", "e2,acme,totals,Over,44.5")
    spread = segment(0, 4, "-105", "e2,acme,spreads,Greys,-0.0")
    batch, rejections = read_one(tmp_path, "".join([*three, *two, total, spread]))
    assert {key[:5] for key in quotes_of(batch, batch.quotes, books(batch))} == {
        ("Reds", "acme", "h2h_3_way", "away", None),
        ("Reds", "acme", "h2h_3_way", "draw", None),
        ("Reds", "acme", "h2h_3_way", "home", None),
        ("Reds", "other", "h2h", "away", None),
        ("Reds", "other", "h2h", "home", None),
        ("Greens", "acme", "totals", "over", 44.5),
        ("Greens", "acme", "spreads", "away", 0.0),
    }
    assert not rejections.counts


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (segment(0, 1, "-110", "e9,acme,h2h,Reds,"), "event_unknown"),
        (segment(0, 1, "-110", "e1,acme,h2h,Greens,"), "unknown_outcome"),
        (segment(0, 1, "-110", "e1,acme,player_points,Reds,"), "market_unknown"),
        (segment(0, 1, "-110").replace("10:00", "10:30"), "look_unknown"),
        (segment(0, 1, "-110").replace(POLLS[0], "noon"), "time_malformed"),
        (segment(0, 1, "-110").replace(POLLS[1], ""), "time_missing"),
        (segment(2, 1, "-110"), "times_reversed"),
        (segment(0, 1, "-110", "e1,,h2h,Reds,"), "name_missing"),
        (segment(0, 1, "-110", f"e1,{'b' * 9_000},h2h,Reds,"), "text_too_long"),
        (segment(0, 1, "-110", "e1,acme,spreads,Reds,"), "handicap_missing"),
    ],
)
def test_an_invalid_segment_is_rejected_and_the_others_are_kept(tmp_path: Path, row: str, reason: str) -> None:
    batch, rejections = read_one(tmp_path, segment(0, 4, "-110") + row)
    assert rejections.counts == {reason: 1}
    assert rejections.examples[0].row == 3
    assert len(batch.quotes) == 1


def test_an_invalid_book_time_is_rejected_and_the_price_is_kept(tmp_path: Path) -> None:
    rows = segment(0, 4, "-110").replace("2025-09-10T09:59:50Z", "noon") + segment(0, 4, "-110", "e1,acme,h2h,Blues,")
    batch, rejections = read_one(tmp_path, rows)
    assert (rejections.counts, rejections.examples[0].field) == ({"time_malformed": 1}, "book_last_update")
    assert sorted(batch.quotes.quotes.book_time.tolist()) == [UNKNOWN_TIME, at("2025-09-10T09:59:50Z")]


def test_a_book_cannot_confirm_a_price_after_it_was_seen(tmp_path: Path) -> None:
    batch, rejections = read_one(tmp_path, segment(0, 4, "-110").replace("09:59:50", "14:00:00"))
    assert rejections.counts == {"book_time_ahead": 1}
    assert batch.quotes.quotes.book_time.tolist() == [at(POLLS[0])]


def test_a_result_of_other_teams_is_rejected(tmp_path: Path) -> None:
    batch, rejections = read_one(tmp_path, segment(0, 4, "-110"), RESULTS + "e1,x,Whites,Blues,23,20,1,FINAL\n")
    assert batch.events[0].report is None
    assert rejections.counts == {"team_unknown": 1}


def test_an_event_without_a_start_is_rejected_and_the_other_is_kept(tmp_path: Path) -> None:
    events = EVENTS.replace("2025-09-10T13:30:00Z", "")
    batch, rejections = read_one(
        tmp_path, segment(0, 4, "-110") + segment(0, 4, "150", "e2,acme,h2h,Greys,"), events=events
    )
    assert rejections.counts == {"time_missing": 1, "event_unknown": 1}
    assert [event.key for event in batch.events] == ["e2"]
    assert len(batch.quotes) == 1


def test_without_valid_polls_there_are_no_quotes(tmp_path: Path) -> None:
    files = {"nfl_segments.csv": HEAD + segment(0, 4, "-110"), "nfl_events.csv": EVENTS}
    parsed = read(folder(tmp_path, {**files, "nfl_snapshots.csv": "snapshot_utc\nnoon\n"}, "season"))
    assert parsed.rejections.counts == {"time_malformed": 1, "look_unknown": 1}
    assert not len(parsed.batches[0].quotes)


def test_a_moved_start_and_results_by_team_name(tmp_path: Path) -> None:
    results = RESULTS + "e1,x,Blues,Reds,3,20,1,FINAL\ne2,x,Greens,Greys,,,1,POSTPONED\n"
    batch, _ = read_one(tmp_path, segment(0, 4, "-110"), results)
    moved, other = batch.events
    assert moved.start == at("2025-09-10T13:30:00Z")
    assert moved.moved_to == (at("2025-09-10T13:40:00Z"), at(POLLS[3]))
    assert moved.report == GameReport.final(Score(20, 3), Score(20, 3))
    assert other.moved_to is None
    assert other.report == GameReport(GameStatus.POSTPONED)


@pytest.mark.parametrize(("forward", "known"), [("2025-09-10T12:10:00Z", "2025-09-10T12:10:00Z"), (POLLS[4], POLLS[3])])
def test_an_earlier_start_is_known_from_that_start(tmp_path: Path, forward: str, known: str) -> None:
    events = EVENTS.replace("2025-09-10T13:30:00Z,2025-09-10T13:40:00Z", f"2025-09-11T18:00:00Z,{forward}")
    batch, _ = read_one(tmp_path, segment(0, 4, "-110"), events=events)
    assert batch.events[0].start == at("2025-09-11T18:00:00Z")
    assert batch.events[0].moved_to == (at(forward), at(known))


def test_overtime_leaves_regulation_unknown(tmp_path: Path) -> None:
    batch, rejections = read_one(
        tmp_path, segment(0, 4, "1"), RESULTS + "e1,x,Reds,Blues,23,20,1,FINAL OT\ne2,x,,,,,,?\n"
    )
    assert batch.events[0].report == GameReport.final(Score(23, 20))
    assert rejections.counts["result_unknown"] == 1


def test_events_without_a_result_are_kept(tmp_path: Path) -> None:
    batch, _ = read_one(tmp_path, segment(0, 4, "-110"))
    assert [event.report for event in batch.events] == [None, None]


def test_duplicate_events_are_merged_and_contradictory_ones_rejected(tmp_path: Path) -> None:
    rows = segment(0, 4, "-110") + segment(0, 4, "150", "e2,acme,h2h,Greys,")
    second = EVENTS.splitlines()[-1]
    batch, rejections = read_one(tmp_path / "a", rows, events=f"{EVENTS}{second}\n")
    assert (len(batch.events), len(batch.quotes), rejections.counts) == (2, 2, {"row_twice": 1})
    batch, rejections = read_one(tmp_path / "b", rows, events=EVENTS + second.replace("Greys", "Blacks") + "\n")
    assert (len(batch.events), len(batch.quotes)) == (1, 1)
    assert rejections.counts == {"row_contradicted": 2, "event_unknown": 1}


def test_missing_files_and_unknown_leagues(tmp_path: Path) -> None:
    with pytest.raises(RejectedFileError, match="file_missing"):
        read(folder(tmp_path / "a", {"nfl_segments.csv": HEAD}, "season"))
    with pytest.raises(RejectedFileError, match="league_unknown"):
        read(folder(tmp_path / "b", {"curling_segments.csv": HEAD}, "season"))
