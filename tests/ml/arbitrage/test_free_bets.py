from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.arbitrage import (
    NO_BOOK,
    best_conversion,
    best_stakes,
    hedge,
    hedge_free_bet_snr,
    hedge_free_bet_sr,
    hedge_risk_free_bet,
    lay_as_back,
    lay_stake,
)

ONE = np.array(1.0)


def test_a_free_bet_laid_off_at_an_exchange() -> None:
    """100 free at 5.0, laid at 5.2 with 2% commission: 77.2% kept."""
    lay = lay_as_back(np.array(5.2), 0.02)
    found = hedge_free_bet_snr(np.array(100.0), np.array(5.0), 1 / lay)
    stake = float(lay_stake(found.payout / lay, np.array(5.2)))
    assert stake == pytest.approx(100 * 4 / (5.2 - 0.02))  # the matched bettor's formula
    assert found.guaranteed_profit == pytest.approx(stake * 0.98)
    assert found.guaranteed_profit == pytest.approx(400 - stake * 4.2)


def test_a_returned_stake_raises_the_value() -> None:
    cover = np.array(1 / 1.25)
    assert hedge_free_bet_snr(ONE, np.array(4.5), cover).guaranteed_profit == pytest.approx(3.5 * 0.2)
    assert hedge_free_bet_sr(ONE, np.array(4.5), cover).guaranteed_profit == pytest.approx(4.5 * 0.2)


def test_a_refund() -> None:
    """50 at 3.0, refunded as a free bet valued at 70%; the other side at 1.5."""
    found = hedge_risk_free_bet(np.array(50.0), np.array(3.0), np.array(1 / 1.5), np.array(35.0))
    assert found.payout == pytest.approx(115)
    assert found.guaranteed_profit == pytest.approx(100 - 115 / 1.5)
    assert found.guaranteed_profit == pytest.approx(-50 + 35 + 115 - 115 / 1.5)


@given(st.floats(-100, 300), st.floats(-100, 100), st.lists(st.floats(1.05, 8), min_size=1, max_size=3))
@settings(max_examples=100)
def test_the_hedge_is_the_linear_programme(win: float, lose: float, prices: list[float]) -> None:
    others = np.array(prices)
    found = hedge(np.array(win), np.array(lose), (1 / others).sum())
    profit = np.vstack([np.full(len(others), -1.0), np.diag(others) - 1])
    solved = best_stakes(profit, 2_000, placed_profit=np.array([win, *[lose] * len(others)]))
    assert found.guaranteed_profit == pytest.approx(solved.guaranteed_profit, abs=1e-3)
    assert found.guaranteed_profit >= min(win, lose)


def test_the_best_outcome_for_a_free_bet() -> None:
    prices = np.array([[[1.5, 4.0, 7.0], [1.55, 4.2, 6.5]], [[1.5, np.nan, 7.0], [1.5, np.nan, 6.5]]])
    found = best_conversion(prices, 0)
    assert found.outcome.tolist() == [2, NO_BOOK]
    assert found.rate[0, 2] == pytest.approx(6 * (1 - 1 / 1.55 - 1 / 4.2))
    assert np.isnan(found.rate[1]).all() == (found.outcome[1] == NO_BOOK)
    assert (best_conversion(prices, 0, stake_returned=True).rate[0] > found.rate[0]).all()
