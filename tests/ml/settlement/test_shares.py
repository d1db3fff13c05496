"""Shares of a stake, against tables computed by hand, the chances of `ml.points`, and exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.points.settlement import win_push_loss
from ml.quotes import MARKET_OUTCOMES, Market, Outcome
from ml.settlement import StakeShares, settle_scores

NAN = float("nan")
LINES = {Market.SPREADS: (Outcome.HOME, Outcome.AWAY), Market.TOTALS: (Outcome.OVER, Outcome.UNDER)}
WIN, PUSH, LOSS = (1, 0, 0), (0, 1, 0), (0, 0, 1)
HALF_WIN, HALF_LOSS = (0.5, 0.5, 0), (0, 0.5, 0.5)
points = st.integers(-40, 40).map(lambda quarters: quarters / 4)
scores = st.integers(0, 12)


def shares(market: int, outcome: int, point: float, home: float, away: float) -> tuple[float, ...]:
    found = settle_scores(*(np.array([v]) for v in (market, outcome, point, home, away)))
    return tuple(float(share[0]) for share in found)


@pytest.mark.parametrize(
    ("market", "outcome", "point", "home", "away", "expected"),
    [
        (Market.H2H, Outcome.HOME, NAN, 24, 17, WIN),
        (Market.H2H, Outcome.AWAY, NAN, 24, 17, LOSS),
        (Market.H2H, Outcome.AWAY, NAN, 20, 20, PUSH),
        (Market.H2H_3_WAY, Outcome.HOME, NAN, 1, 1, LOSS),
        (Market.H2H_3_WAY, Outcome.AWAY, NAN, 1, 2, WIN),
        (Market.H2H_3_WAY, Outcome.DRAW, NAN, 1, 1, WIN),
        (Market.H2H_3_WAY, Outcome.DRAW, NAN, 0, 1, LOSS),
        # home -3 and its other side, away +3
        (Market.SPREADS, Outcome.HOME, -3, 24, 17, WIN),
        (Market.SPREADS, Outcome.HOME, -3, 24, 21, PUSH),
        (Market.SPREADS, Outcome.AWAY, 3, 24, 21, PUSH),
        (Market.SPREADS, Outcome.AWAY, 3.5, 24, 21, WIN),
        # -0.25: half on 0, half on -0.5; a draw loses half, and +0.25 wins half
        (Market.SPREADS, Outcome.HOME, -0.25, 1, 1, HALF_LOSS),
        (Market.SPREADS, Outcome.AWAY, 0.25, 1, 1, HALF_WIN),
        # -0.75: half on -0.5, half on -1; by one goal it wins half
        (Market.SPREADS, Outcome.HOME, -0.75, 2, 1, HALF_WIN),
        (Market.SPREADS, Outcome.AWAY, 0.75, 2, 1, HALF_LOSS),
        (Market.TOTALS, Outcome.OVER, 2.25, 1, 1, HALF_LOSS),
        (Market.TOTALS, Outcome.UNDER, 2.25, 1, 1, HALF_WIN),
        (Market.TOTALS, Outcome.OVER, 2.75, 2, 1, HALF_WIN),
        (Market.TOTALS, Outcome.OVER, 3, 2, 1, PUSH),
        (Market.TOTALS, Outcome.UNDER, 2.5, 2, 0, WIN),
        # no multiple of a quarter: no push
        (Market.TOTALS, Outcome.UNDER, 2.1, 1, 1, WIN),
    ],
)
def test_by_hand(
    market: Market, outcome: Outcome, point: float, home: int, away: int, expected: tuple[float, ...]
) -> None:
    assert shares(market, outcome, point, home, away) == expected


@pytest.mark.parametrize(
    ("market", "outcome", "point", "home"),
    [
        (Market.H2H, Outcome.DRAW, NAN, 1),
        (Market.SPREADS, Outcome.OVER, 2.5, 1),
        (Market.TOTALS, Outcome.HOME, 2.5, 1),
        (Market.TOTALS, Outcome.OVER, NAN, 1),
        (Market.H2H_3_WAY, Outcome.DRAW, NAN, NAN),
        (Market.H2H_3_WAY, Outcome.HOME, NAN, NAN),
        (Market.H2H_LAY, Outcome.HOME, NAN, 1),
        (Market.H2H, 100_001, NAN, 1),
        (Market.H2H, -1, NAN, 1),
    ],
)
def test_bets_that_cannot_be_settled_are_nan(market: int, outcome: int, point: float, home: float) -> None:
    assert np.isnan(shares(market, outcome, point, home, 0)).all()


def test_profit_is_what_a_stake_of_one_earns() -> None:
    five = StakeShares(np.array([1, 0.5, 0, 0, 0]), np.array([0, 0.5, 1, 0.5, 0]), np.array([0, 0, 0, 0.5, 1]))
    assert five.profit(np.full(5, 2.5)).tolist() == [1.5, 0.75, 0, -0.5, -1]


@given(st.sampled_from([*LINES]), points, scores, scores)
def test_both_sides_of_a_line_sum_to_nothing_at_the_fair_price(
    market: Market, point: float, home: int, away: int
) -> None:
    first, second = LINES[market]
    ours = shares(market, first, point, home, away)
    theirs = shares(market, second, -point if market is Market.SPREADS else point, home, away)
    assert theirs == ours[::-1]
    assert sum(ours) == 1
    # at 2.0 both sides stake the same: what one wins the other loses
    assert ours[0] - ours[2] + theirs[0] - theirs[2] == 0


@given(st.sampled_from([*LINES]), st.integers(-20, 20), scores, scores, st.booleans())
def test_a_quarter_is_the_mean_of_two_halves(market: Market, n: int, home: int, away: int, second: bool) -> None:
    point, outcome = n / 2 + 0.25, LINES[market][second]
    low, quarter, high = (shares(market, outcome, p, home, away) for p in (point - 0.25, point, point + 0.25))
    assert quarter == tuple((a + b) / 2 for a, b in zip(low, high, strict=True))


@given(points, scores, scores)
def test_the_same_as_the_chances_of_a_certain_result(point: float, home: int, away: int) -> None:
    """`ml.points` settles distributions; one that is certain settles like the score."""
    for market, number, threshold in (
        (Market.SPREADS, home - away, -point),
        (Market.TOTALS, home + away, point),
    ):
        cells = np.zeros((1, 201))
        cells[0, number + 100] = 1
        chances = win_push_loss(cells, -100, np.array([[threshold]]))
        assert shares(market, LINES[market][0], point, home, away) == tuple(c.item() for c in chances)


@given(st.sampled_from([*MARKET_OUTCOMES]), points, scores, scores)
def test_one_of_the_outcomes_of_a_market_wins_or_all_push(market: Market, point: float, home: int, away: int) -> None:
    signs = {Outcome.AWAY: -1} if market is Market.SPREADS else {}
    paid = [shares(market, o, point * signs.get(o, 1), home, away) for o in MARKET_OUTCOMES[market]]
    assert sum(Fraction(won) + Fraction(pushed) / 2 for won, pushed, _ in paid) == 1
