"""Bets by their book's rules: what counts, what is void, what waits, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.quotes import Market, Outcome
from ml.settlement import (
    Abandoned,
    Bets,
    BetStatus,
    GameReport,
    GameStatus,
    Period,
    Rules,
    Score,
    SettledGames,
    SettlementRules,
    Tie,
    find_rules,
    settle_bets,
)

NAN = float("nan")
REGULATION = SettlementRules(Period.REGULATION)
OVERTIME = SettlementRules(Period.OVERTIME)
SHOOTOUT = SettlementRules(Period.SHOOTOUT)
AFTER_EXTRA_TIME = GameReport.final(Score(2, 1), Score(1, 1))
HOME = (Market.H2H, Outcome.HOME, NAN)
OVER = (Market.TOTALS, Outcome.OVER, 2.5)
DRAW = (Market.H2H_3_WAY, Outcome.DRAW, NAN)
Bet = tuple[int, int, float]


def settle(
    bet: Bet, report: GameReport | None, rules: Rules, *, delay: float = 0.0, contradicted: bool = False
) -> tuple[BetStatus, tuple[float, ...]]:
    market, outcome, point = bet
    one = np.zeros(1, np.intp)
    bets = Bets(one, one, np.array([market]), np.array([outcome]), np.array([point]), np.array([delay]))
    found = settle_bets(bets, SettledGames.from_reports([report], np.full((1, 2), contradicted)), [rules])
    return BetStatus(found.status[0]), tuple(float(share[0]) for share in found.shares)


def verdict(bet: Bet, report: GameReport | None, rules: Rules, delay: float = 0.0) -> BetStatus:
    return settle(bet, report, rules, delay=delay)[0]


def test_the_score_that_the_rules_count() -> None:
    assert settle(DRAW, AFTER_EXTRA_TIME, REGULATION) == (BetStatus.SETTLED, (1, 0, 0))
    assert settle(DRAW, AFTER_EXTRA_TIME, OVERTIME) == (BetStatus.SETTLED, (0, 0, 1))
    assert settle(OVER, AFTER_EXTRA_TIME, REGULATION) == (BetStatus.SETTLED, (0, 0, 1))
    assert settle(OVER, AFTER_EXTRA_TIME, OVERTIME) == (BetStatus.SETTLED, (1, 0, 0))
    assert settle(HOME, AFTER_EXTRA_TIME, SHOOTOUT) == (BetStatus.SETTLED, (1, 0, 0))


def test_a_world_cup_match_is_settled_after_ninety_minutes_or_not_at_all() -> None:
    rules = find_rules("soccer_fifa_world_cup", Market.H2H_3_WAY, "pinnacle")
    home = (Market.H2H_3_WAY, Outcome.HOME, NAN)
    assert settle(home, AFTER_EXTRA_TIME, rules) == (BetStatus.SETTLED, (0, 0, 1))
    for unclear in (GameReport.final(Score(2, 1)), GameReport(GameStatus.FINAL, unstated=Score(2, 1))):
        found, shares = settle(home, unclear, rules)
        assert found is BetStatus.NO_SCORE
        assert np.isnan(shares).all()


@pytest.mark.parametrize(
    ("tie", "expected"), [(Tie.VOID, (0, 1, 0)), (Tie.LOSES, (0, 0, 1)), (Tie.DEAD_HEAT, (0.5, 0, 0.5))]
)
def test_a_two_way_tie(tie: Tie, expected: tuple[float, ...]) -> None:
    tied = GameReport.final(Score(20, 20))
    assert settle(HOME, tied, replace(OVERTIME, tie=tie)) == (BetStatus.SETTLED, expected)
    # the same rule has nothing to say where somebody wins, or a line pushes
    assert settle(HOME, AFTER_EXTRA_TIME, replace(OVERTIME, tie=tie)) == (BetStatus.SETTLED, (1, 0, 0))
    assert settle((Market.SPREADS, Outcome.AWAY, 0.0), tied, replace(OVERTIME, tie=tie))[1] == (0, 1, 0)


def test_a_tie_that_the_rules_do_not_foresee() -> None:
    tied = GameReport.final(Score(20, 20))
    assert verdict(HOME, tied, replace(OVERTIME, tie=None)) is BetStatus.UNKNOWN_RULES
    assert verdict(HOME, tied, SHOOTOUT) is BetStatus.NO_SCORE
    assert verdict(HOME, AFTER_EXTRA_TIME, replace(OVERTIME, tie=None)) is BetStatus.SETTLED


def test_nothing_is_guessed() -> None:
    assert verdict(HOME, None, OVERTIME) is BetStatus.PENDING
    assert verdict(HOME, AFTER_EXTRA_TIME, None) is BetStatus.UNKNOWN_RULES
    assert verdict((Market.OUTRIGHTS, 500, NAN), AFTER_EXTRA_TIME, OVERTIME) is BetStatus.UNSUPPORTED
    assert verdict((Market.TOTALS, Outcome.OVER, NAN), None, OVERTIME) is BetStatus.UNSUPPORTED
    assert settle(HOME, AFTER_EXTRA_TIME, OVERTIME, contradicted=True)[0] is BetStatus.CONTRADICTED


def test_a_game_that_is_never_played_is_void() -> None:
    assert settle(OVER, GameReport(GameStatus.NOT_PLAYED), OVERTIME) == (BetStatus.VOID, (0, 1, 0))


def test_a_postponed_game_waits_as_long_as_the_rules_allow() -> None:
    postponed = GameReport(GameStatus.POSTPONED)
    patient, silent = replace(OVERTIME, postponed=48.0), replace(OVERTIME, postponed=None)
    assert [verdict(HOME, postponed, patient, delay) for delay in (0, 48, 49)] == [
        BetStatus.PENDING,
        BetStatus.PENDING,
        BetStatus.VOID,
    ]
    # played in the end, but too late for one book and in time for the other
    assert verdict(HOME, AFTER_EXTRA_TIME, OVERTIME, 30) is BetStatus.VOID
    assert verdict(HOME, AFTER_EXTRA_TIME, patient, 30) is BetStatus.SETTLED
    assert verdict(HOME, AFTER_EXTRA_TIME, silent, 30) is BetStatus.UNKNOWN_RULES
    assert verdict(HOME, AFTER_EXTRA_TIME, silent, 1) is BetStatus.SETTLED


@pytest.mark.parametrize(
    ("rule", "home", "over", "under_9"),
    [
        (Abandoned.VOID, BetStatus.VOID, BetStatus.VOID, BetStatus.VOID),
        (Abandoned.STANDS_IF_OFFICIAL, BetStatus.PENDING, BetStatus.PENDING, BetStatus.PENDING),
        (Abandoned.STANDS_IF_DECIDED, BetStatus.PENDING, BetStatus.SETTLED, BetStatus.PENDING),
        (None, BetStatus.UNKNOWN_RULES, BetStatus.UNKNOWN_RULES, BetStatus.UNKNOWN_RULES),
    ],
)
def test_an_abandoned_game(rule: Abandoned | None, home: BetStatus, over: BetStatus, under_9: BetStatus) -> None:
    rules = replace(OVERTIME, abandoned=rule)
    stopped = GameReport(GameStatus.ABANDONED, full=Score(3, 1))
    bets = (HOME, OVER, (Market.TOTALS, Outcome.UNDER, 9.0))
    assert [verdict(bet, stopped, rules) for bet in bets] == [home, over, under_9]
    if rule is not None:
        # not resumed in time: everything is void except what was decided
        late = [verdict(bet, stopped, rules, delay=25) for bet in bets]
        assert late == [BetStatus.VOID, over if over is BetStatus.SETTLED else BetStatus.VOID, BetStatus.VOID]


def test_what_is_decided_when_a_game_stops_is_the_total_that_is_exceeded() -> None:
    rules = replace(OVERTIME, abandoned=Abandoned.STANDS_IF_DECIDED)
    stopped = GameReport(GameStatus.ABANDONED, full=Score(2, 1))
    totals = [(Market.TOTALS, o, p) for p in (2.5, 2.75, 3.0) for o in (Outcome.OVER, Outcome.UNDER)]
    found = [settle(bet, stopped, rules) for bet in totals]
    assert found[:2] == [(BetStatus.SETTLED, (1, 0, 0)), (BetStatus.SETTLED, (0, 0, 1))]
    assert {v for v, _ in found[2:]} == {BetStatus.PENDING}
    assert verdict(OVER, GameReport(GameStatus.ABANDONED), rules) is BetStatus.PENDING


def test_a_shortened_game_counts_where_the_rules_accept_the_leagues_result() -> None:
    rain = GameReport(GameStatus.SHORTENED, full=Score(4, 1))
    line = (Market.SPREADS, Outcome.HOME, -1.5)
    h2h, run_line = (find_rules("baseball_mlb", m, "draftkings") for m in (Market.H2H, Market.SPREADS))
    assert settle(HOME, rain, h2h) == (BetStatus.SETTLED, (1, 0, 0))
    assert settle(line, rain, run_line) == (BetStatus.VOID, (0, 1, 0))
    assert settle(OVER, rain, run_line) == (BetStatus.SETTLED, (1, 0, 0))
    assert settle(line, rain, find_rules("baseball_mlb", Market.SPREADS, "fanduel"))[0] is BetStatus.UNKNOWN_RULES


def test_many_bets_settle_like_one_by_one() -> None:
    rng = np.random.default_rng(4)
    reports = [None, AFTER_EXTRA_TIME, GameReport.final(Score(0, 0), Score(0, 0)), GameReport(GameStatus.NOT_PLAYED)]
    rules = [None, REGULATION, OVERTIME, SHOOTOUT, replace(OVERTIME, tie=None)]
    n = 400
    bets = Bets(
        rng.integers(0, 4, n),
        rng.integers(0, 5, n),
        rng.integers(0, 8, n),
        rng.integers(0, 8, n),
        rng.integers(-12, 12, n) / 4,
        rng.choice([0.0, 13.0, 30.0], n),
    )
    found = settle_bets(bets, SettledGames.from_reports(reports, np.zeros((4, 2), np.bool_)), rules)
    for i in range(n):
        alone = settle(
            (int(bets.market[i]), int(bets.outcome[i]), float(bets.point[i])),
            reports[bets.game[i]],
            rules[bets.rules[i]],
            delay=float(bets.delay_hours[i]),
        )
        assert alone[0] == found.status[i]
        assert alone[1] == pytest.approx(tuple(share[i] for share in found.shares), nan_ok=True)
    assert len(set(found.status.tolist())) == 6
    final = np.isin(found.status, (BetStatus.SETTLED, BetStatus.VOID))
    np.testing.assert_array_equal(sum(found.shares), np.where(final, 1, np.nan))
