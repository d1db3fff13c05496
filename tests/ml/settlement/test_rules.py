"""Rules that differ are never taken for the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml.quotes import Market
from ml.settlement import Abandoned, Conflict, DeadHeat, Period, Pitchers, SettlementRules, Tie, conflict, find_rules
from ml.settlement.rule_book import parse_rules
from ml.settlement.rules import conflict_matrix

REGULATION = SettlementRules(Period.REGULATION)
OVERTIME = SettlementRules(Period.OVERTIME)
ENTRY = """
[[rules]]
books = ["a", "b"]
sports = ["baseball_mlb"]
markets = ["totals"]
period = "overtime"
postponed = 12.0
abandoned = "unknown"
source = "https://example.org/rules"
"""


def test_differences_are_named() -> None:
    assert conflict(REGULATION, REGULATION) == Conflict.NONE
    other = replace(OVERTIME, pitchers=Pitchers.LISTED, postponed=48, dead_heat=DeadHeat.VOID)
    assert conflict(REGULATION, other) == (
        Conflict.PERIOD | Conflict.PITCHERS | Conflict.POSTPONED | Conflict.DEAD_HEAT
    )
    assert conflict(None, OVERTIME) == conflict(None, None) == Conflict.UNKNOWN
    assert not conflict_matrix([None, OVERTIME]).diagonal().any()


def test_a_rule_that_is_not_known_agrees_with_nothing() -> None:
    partly = replace(OVERTIME, abandoned=None)
    assert conflict(partly, OVERTIME) == conflict(partly, partly) == Conflict.UNKNOWN
    assert conflict(partly, replace(REGULATION, abandoned=None)) == Conflict.UNKNOWN | Conflict.PERIOD


def test_entries_are_read_with_their_unknowns() -> None:
    rules = SettlementRules(Period.OVERTIME, abandoned=None, postponed=12.0)
    assert parse_rules(ENTRY) == {(book, "baseball_mlb", Market.TOTALS): rules for book in "ab"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (ENTRY.replace("overtime", "lunch"), "LUNCH"),
        (ENTRY.replace('period = "overtime"', 'period = "unknown"'), "UNKNOWN"),
        (ENTRY.replace("totals", "corners"), "CORNERS"),
        (ENTRY.replace("https://example.org/rules", ""), "source"),
        (ENTRY.replace("postponed", "delayed"), "delayed"),
        (ENTRY.replace("baseball_mlb", "icehockey_nhl"), "no source reports that score"),
        (ENTRY + ENTRY.replace("12.0", "24.0"), "contradicts an earlier entry"),
    ],
)
def test_a_wrong_entry_is_named(wrong: str, why: str) -> None:
    with pytest.raises(ValueError, match=rf"rules entry \d.*baseball_mlb.*{why}|rules entry 1.*icehockey.*{why}"):
        parse_rules(wrong)


def test_a_books_own_rules_precede_the_common_ones() -> None:
    draftkings = find_rules("baseball_mlb", Market.TOTALS, "draftkings")
    anybody = find_rules("baseball_mlb", Market.TOTALS, "a_new_book")
    assert draftkings == SettlementRules(Period.OVERTIME, Tie.VOID, Abandoned.STANDS_IF_DECIDED, 12.0, Pitchers.ACTION)
    assert anybody == SettlementRules(Period.OVERTIME, None, None, None, None)
    assert conflict(draftkings, anybody) == Conflict.UNKNOWN
    assert conflict(draftkings, find_rules("baseball_mlb", Market.H2H, "draftkings")) == Conflict.ABANDONED


@pytest.mark.parametrize(
    ("sport", "market", "book", "period"),
    [
        ("soccer_fifa_world_cup", Market.H2H_3_WAY, "pinnacle", Period.REGULATION),
        ("soccer_fifa_world_cup", Market.TOTALS, "betfair_ex_eu", Period.REGULATION),
        ("americanfootball_nfl", Market.SPREADS, "fanduel", Period.OVERTIME),
        ("icehockey_nhl", Market.H2H, "unibet_eu", Period.SHOOTOUT),
        ("icehockey_nhl", Market.H2H_3_WAY, "unibet_eu", Period.REGULATION),
    ],
)
def test_periods(sport: str, market: Market, book: str, period: Period) -> None:
    rules = find_rules(sport, market, book)
    assert rules is not None
    assert rules.period is period


@pytest.mark.parametrize(
    ("sport", "market"), [("icehockey_nhl", Market.TOTALS), ("soccer_epl", Market.H2H), ("tennis_atp", Market.H2H)]
)
def test_unknown_rules_are_none(sport: str, market: Market) -> None:
    assert find_rules(sport, market, "unibet_eu") is None
