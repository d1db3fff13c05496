"""What must hold of every settlement, against a reference that goes bet by bet in exact arithmetic."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes import MARKET_OUTCOMES, Market, Outcome
from ml.settlement import (
    Bets,
    BetStatus,
    GameReport,
    GameStatus,
    Period,
    RulesAgreement,
    Score,
    SettledGames,
    SettlementRules,
    Tie,
    agreement,
    settle_bets,
)

if TYPE_CHECKING:
    from ml.settlement import Rules

Shares = tuple[Fraction, Fraction, Fraction]
"""Won, pushed and lost."""
Settled = tuple[BetStatus, Shares | None]
NAN = float("nan")
HALF = Fraction(1, 2)
PUSHED: Shares = (Fraction(0), Fraction(1), Fraction(0))
MIRRORED = {Outcome.HOME: Outcome.AWAY, Outcome.AWAY: Outcome.HOME}

scores = st.builds(Score, st.integers(0, 6), st.integers(0, 6))
reports = st.builds(GameReport, st.just(GameStatus.FINAL), st.none() | scores, st.none() | scores, st.none() | scores)
rules = st.none() | st.builds(SettlementRules, st.sampled_from(Period), st.none() | st.sampled_from(Tie))
markets = st.sampled_from([*MARKET_OUTCOMES])
points = st.integers(-24, 24).map(lambda quarters: quarters / 4)
doubts = st.tuples(st.booleans(), st.booleans())


def settle(
    market: Market, outcome: Outcome, point: float, report: GameReport, rule: Rules, doubt: tuple[bool, bool]
) -> Settled:
    one = np.zeros(1, np.intp)
    bets = Bets(one, one, np.array([market]), np.array([outcome]), np.array([point]), np.zeros(1))
    found = settle_bets(bets, SettledGames.from_reports([report], np.array([doubt])), [rule])
    verdict = BetStatus(found.status[0])
    if np.isnan(found.shares.won[0]):
        return verdict, None
    won, pushed, lost = (Fraction(float(share[0])) for share in found.shares)
    return verdict, (won, pushed, lost)


def by_hand(
    market: Market, outcome: Outcome, point: float, report: GameReport, rule: Rules, doubt: tuple[bool, bool]
) -> Settled:
    regulation, full = (score and on(market, outcome, point, score) for score in (report.regulation, report.full))
    if rule is None:
        in_doubt, shares = any(doubt), regulation if regulation == full else None
        missing = BetStatus.UNKNOWN_RULES
    else:
        counts = rule.period is Period.REGULATION
        in_doubt, shares = (doubt[0], regulation) if counts else (doubt[1], full)
        missing = BetStatus.NO_SCORE
    if in_doubt:
        return BetStatus.CONTRADICTED, None
    if shares is None:
        return missing, None
    if market is Market.H2H and shares == PUSHED:
        return settle_tie(rule)
    return BetStatus.SETTLED, shares


def settle_tie(rule: Rules) -> Settled:
    if rule is not None and rule.period is Period.SHOOTOUT:
        return BetStatus.NO_SCORE, None
    paid: dict[Tie | None, Shares] = {
        Tie.VOID: PUSHED,
        Tie.LOSES: (Fraction(0), Fraction(0), Fraction(1)),
        Tie.DEAD_HEAT: (HALF, Fraction(0), HALF),
    }
    known = paid.get(rule.tie if rule else None)
    return (BetStatus.SETTLED, known) if known else (BetStatus.UNKNOWN_RULES, None)


def on(market: Market, outcome: Outcome, point: float, score: Score) -> Shares:
    """A quarter point is two half stakes, on the two adjacent points."""
    at = Fraction(point) if market in {Market.SPREADS, Market.TOTALS} else Fraction(0)
    parts = [at] if at * 2 == int(at * 2) else [at - Fraction(1, 4), at + Fraction(1, 4)]
    leads = [ahead(market, outcome, part, score) for part in parts]
    won, pushed, lost = (
        Fraction(sum(1 for lead in leads if (lead > 0) - (lead < 0) == sign), len(parts)) for sign in (1, 0, -1)
    )
    return won, pushed, lost


def ahead(market: Market, outcome: Outcome, point: Fraction, score: Score) -> Fraction:
    margin = Fraction(score.home - score.away)
    if market is Market.H2H_3_WAY:
        wins = {Outcome.HOME: margin > 0, Outcome.AWAY: margin < 0, Outcome.DRAW: margin == 0}[outcome]
        return Fraction(1 if wins else -1)
    if market is Market.TOTALS:
        total = score.home + score.away - point
        return total if outcome is Outcome.OVER else -total
    return (margin if outcome is Outcome.HOME else -margin) + point


@given(st.data(), markets, points, reports, rules, doubts)
def test_every_bet_settles_as_by_hand(
    data: st.DataObject, market: Market, point: float, report: GameReport, rule: Rules, doubt: tuple[bool, bool]
) -> None:
    outcome = data.draw(st.sampled_from(MARKET_OUTCOMES[market]))
    bet = market, outcome, point if market in {Market.SPREADS, Market.TOTALS} else NAN
    assert settle(*bet, report, rule, doubt) == by_hand(*bet, report, rule, doubt)


@given(markets, points, reports, rules.filter(lambda rule: rule is not None), doubts)
def test_the_outcomes_of_a_market_share_one_verdict_and_what_is_won_is_lost(
    market: Market, point: float, report: GameReport, rule: Rules, doubt: tuple[bool, bool]
) -> None:
    signs = {Outcome.AWAY: -1} if market is Market.SPREADS else {}
    found = [settle(market, o, point * signs.get(o, 1), report, rule, doubt) for o in MARKET_OUTCOMES[market]]
    assert len({verdict for verdict, _ in found}) == 1
    paid = [shares for _, shares in found if shares is not None]
    assert len(paid) in {0, len(found)}
    assert all(sum(shares) == 1 for shares in paid)
    if paid and market is Market.H2H_3_WAY:
        assert sorted(won for won, *_ in paid) == [0, 0, 1]
    elif paid and not (rule and rule.tie is Tie.LOSES):
        (first, second) = paid
        assert first == second[::-1]


@given(markets, points, reports, rules, doubts)
def test_swapped_sides_settle_the_other_way_round(
    market: Market, point: float, report: GameReport, rule: Rules, doubt: tuple[bool, bool]
) -> None:
    for outcome in MARKET_OUTCOMES[market]:
        turned = MIRRORED.get(outcome, outcome)
        ours = settle(market, outcome, point, report, rule, doubt)
        assert ours == settle(market, turned, point, report.swap_sides(), rule, doubt)


@given(markets, points, reports, doubts)
def test_unknown_rules_settle_only_what_every_period_settles_alike(
    market: Market, point: float, report: GameReport, doubt: tuple[bool, bool]
) -> None:
    for outcome in MARKET_OUTCOMES[market]:
        verdict, shares = settle(market, outcome, point, report, None, doubt)
        if verdict is BetStatus.SETTLED:
            every = [SettlementRules(period, tie) for period in Period for tie in Tie]
            assert {settle(market, outcome, point, report, rule, doubt) for rule in every} == {(verdict, shares)}


@pytest.mark.parametrize(
    ("known", "label"),
    [
        ([], RulesAgreement.SAME),
        ([None], RulesAgreement.SAME),
        ([None, None], RulesAgreement.UNKNOWN),
        ([SettlementRules(Period.OVERTIME)] * 2, RulesAgreement.SAME),
        ([SettlementRules(Period.OVERTIME), SettlementRules(Period.OVERTIME, None)], RulesAgreement.UNKNOWN),
        ([SettlementRules(Period.OVERTIME), SettlementRules(Period.REGULATION), None], RulesAgreement.DIFFER),
    ],
)
def test_relations_between_rules(known: list[Rules], label: RulesAgreement) -> None:
    assert agreement(known) is label


def test_a_case_left_open_by_one_rule_is_not_the_same() -> None:
    rule = replace(SettlementRules(Period.OVERTIME), abandoned=None)
    assert agreement([rule, rule]) is RulesAgreement.UNKNOWN
