from __future__ import annotations

from datetime import datetime

import pytest

from edge_assets.core.clock import to_micros
from edge_assets.importers.formats.batch import AGGREGATE_KINDS, ParsedBatch, Rejections
from edge_assets.importers.formats.nfl_bmr import read
from ml.quotes import Market, Outcome
from ml.settlement import GameReport, GameStatus, Score
from tests.support.import_files import books, quotes_of

HEAD = (
    "game_id,team_id,season,week,team,date,time,score,outcome,rotation,opening_moneyline,opening_spread,"
    "opening_spread_odds,opening_total,opening_total_odds,moneyline_bet_pct,spread_bet_pct,total_bet_pct,"
    "8_moneyline,8_spread,8_spread_odds,8_total,8_total_odds\n"
)
AWAY = "1,7,2019,20,Tennessee,Sun 1/19,3:05 PM,24,FINAL,313,290,7.5,-112,51.5,-110,66,47,0,300,7,-106,51,-112\n"
HOME = "1,8,2019,20,Kansas City,Sun 1/19,3:05 PM,35,FINAL,314,-360,-7.5,-108,51.5,-110,34,53,0,-334,-7,-114,51,-108\n"
START = to_micros(datetime.fromisoformat("2020-01-19T20:05:00+00:00"))


def read_one(text: str) -> tuple[ParsedBatch, Rejections]:
    parsed = read("week_20.csv", (HEAD + text).encode())
    return parsed.batches[0], parsed.rejections


def test_two_rows_are_a_game_and_the_season_gives_the_year() -> None:
    batch, rejections = read_one(AWAY + HOME)
    [event] = batch.events
    assert (event.home, event.away, event.start) == ("Kansas City", "Tennessee", START)
    assert event.report == GameReport.final(Score(35, 24), Score(35, 24))
    close, opening = START - 1_000_000, START - 6 * 86_400_000_000
    team = "Kansas City"
    assert quotes_of(batch, batch.quotes, books(batch)) == {
        (team, "bmr_8", "h2h", "away", None, 4.0): close,
        (team, "bmr_8", "h2h", "home", None, 1 + 100 / 334): close,
        (team, "bmr_8", "spreads", "away", 7.0, 1 + 100 / 106): close,
        (team, "bmr_8", "spreads", "home", -7.0, 1 + 100 / 114): close,
        (team, "bmr_8", "totals", "over", 51.0, 1 + 100 / 112): close,
        (team, "bmr_8", "totals", "under", 51.0, 1 + 100 / 108): close,
    }
    first = quotes_of(batch, batch.aggregates, list(AGGREGATE_KINDS))
    assert set(first.values()) == {opening}
    assert (team, "opening", "spreads", "away", 7.5, 1 + 100 / 112) in first
    assert len(first) == 6
    assert batch.time_assumed
    assert not rejections.counts


def test_public_bets_are_shares_if_any_were_counted() -> None:
    batch, _ = read_one(AWAY + HOME)
    shares = {(bets.market, bets.outcome): bets.share for bets in batch.public_bets}
    assert shares == {
        (Market.H2H, Outcome.AWAY): 0.66,
        (Market.H2H, Outcome.HOME): 0.34,
        (Market.SPREADS, Outcome.AWAY): 0.47,
        (Market.SPREADS, Outcome.HOME): 0.53,
    }


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        ("-334,-7,", "-334,-6.5,", {"lines_disagree": 2}),
        (",-334,", ",-34,", {"price_not_american": 1}),
        ("Sun 1/19", "Sun 13/19", {"time_malformed": 1}),
        ("FINAL", "SUSPENDED", {"result_unknown": 1}),
    ],
)
def test_invalid_parts_are_rejected_and_the_rest_is_kept(old: str, new: str, reasons: dict[str, int]) -> None:
    other = (AWAY + HOME).replace("1,7,", "2,7,").replace("1,8,", "2,8,").replace("313", "315").replace("314", "316")
    batch, rejections = read_one(AWAY + HOME.replace(old, new) + other)
    assert rejections.counts == reasons
    assert "2" in {event.key for event in batch.events}


def test_half_points_even_money_and_pick_em_are_read() -> None:
    even = AWAY.replace(",300,7,", ",EV,PK,").replace(",51,-112", ",44\u00bd,-112")
    batch, rejections = read_one(even + HOME.replace(",-7,-114", ",PK,-114").replace(",51,-108", ",44\u00bd,-108"))
    seen = {key[1:] for key in quotes_of(batch, batch.quotes, books(batch))}
    assert ("bmr_8", "h2h", "away", None, 2.0) in seen
    assert ("bmr_8", "spreads", "home", 0.0, 1 + 100 / 114) in seen
    assert ("bmr_8", "totals", "over", 44.5, 1 + 100 / 112) in seen
    assert not rejections.counts


def test_an_invalid_line_is_not_reported_as_disagreeing_lines() -> None:
    _, rejections = read_one(AWAY + HOME.replace(",-7,-114", ",seven,-114"))
    assert rejections.counts == {"number_malformed": 1, "handicap_missing": 2}


@pytest.mark.parametrize(
    ("day", "clock", "start"),
    [
        ("Sun 1/19", "9:30 AM", "2020-01-19T14:30:00+00:00"),
        ("Sun 11/3", "1:30 AM", "2019-11-03T05:30:00+00:00"),  # occurs twice: the first
        ("Sat 2/29", "1:00 PM", "2020-02-29T18:00:00+00:00"),
        ("Sun 1/19", "TBD", None),
        ("Sun 2/30", "1:00 PM", None),
        ("Sun", "1:00 PM", None),
        ("", "", None),
    ],
)
def test_a_start_is_read_or_rejected(day: str, clock: str, start: str | None) -> None:
    rows = (AWAY + HOME).replace("Sun 1/19,3:05 PM", f"{day},{clock}")
    parsed = read("week_20.csv", (HEAD + rows).encode())
    found = [event.start for batch in parsed.batches for event in batch.events]
    assert found == ([to_micros(datetime.fromisoformat(start))] if start else [])
    assert parsed.rejections.counts == ({} if start else {"time_malformed": 1})


@pytest.mark.parametrize("season", ["twenty", "0", "99999", "9" * 5_001, "1066", ""])
def test_an_invalid_season_is_rejected(season: str) -> None:
    parsed = read("week_20.csv", (HEAD + (AWAY + HOME).replace(",2019,", f",{season},")).encode())
    assert (parsed.batches, parsed.rejections.counts) == ([], {"time_malformed": 1})


def test_a_game_with_one_row_is_rejected() -> None:
    batch, rejections = read_one(AWAY + HOME + AWAY.replace("1,7,", "2,7,"))
    assert rejections.counts == {"game_incomplete": 1}
    assert len(batch.events) == 1


def test_postponed_games_have_their_status() -> None:
    batch, _ = read_one(AWAY.replace("FINAL", "POSTPONED") + HOME.replace("FINAL", "POSTPONED"))
    assert batch.events[0].report == GameReport(GameStatus.POSTPONED)
