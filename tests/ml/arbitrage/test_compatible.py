from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ml.arbitrage import find_arbitrage, find_compatible_arbitrage, find_compatible_pairs
from ml.settlement import Conflict, Period, Pitchers, SettlementRules
from ml.settlement.rules import conflict_matrix

REGULATION = SettlementRules(Period.REGULATION)
OVERTIME = SettlementRules(Period.OVERTIME)


def test_an_arbitrage_across_rules_is_labelled_and_left_out() -> None:
    prices = np.array([[[2.2, 1.7], [1.8, 2.1], [2.0, 1.9]]])
    found = find_compatible_arbitrage(prices, [REGULATION, OVERTIME, REGULATION])
    assert found.unrestricted.guaranteed_return[0] > 0
    assert found.conflict.tolist() == [Conflict.PERIOD]
    assert found.compatible.book.tolist() == [[0, 2]]
    assert found.compatible.guaranteed_return[0] == pytest.approx(1 / (1 / 2.2 + 1 / 1.9) - 1)
    tolerant = find_compatible_arbitrage(prices, [REGULATION, OVERTIME, REGULATION], tolerated=Conflict.PERIOD)
    assert tolerant.compatible.book.tolist() == [[0, 1]]


def test_unknown_rules_are_labelled_and_can_be_left_out() -> None:
    prices = np.array([[[2.2, 1.7], [1.8, 2.1]]])
    found = find_compatible_arbitrage(prices, [None, REGULATION])
    assert found.conflict.tolist() == [Conflict.UNKNOWN]
    assert found.compatible.book.tolist() == [[0, 1]]
    strict = find_compatible_arbitrage(prices, [None, REGULATION], tolerated=Conflict.NONE)
    assert strict.compatible.book.tolist() == [[1, 1]]


@pytest.mark.parametrize("tolerated", [Conflict.NONE, Conflict.UNKNOWN, Conflict.PERIOD, ~Conflict.TIE])
def test_the_best_of_all_compatible_choices(tolerated: Conflict) -> None:
    rng = np.random.default_rng(2)
    listed = replace(OVERTIME, pitchers=Pitchers.LISTED)
    rules = [REGULATION, OVERTIME, None, listed, REGULATION, None]
    prices = rng.uniform(2.4, 3.6, (30, 6, 3))
    prices[rng.random(prices.shape) < 0.2] = np.nan
    excluded, commission = rng.random((30, 6)) < 0.2, rng.choice([0.0, 0.05], 6)
    found = find_compatible_arbitrage(prices, rules, tolerated=tolerated, excluded=excluded, commission=commission)
    table = conflict_matrix(rules)
    choices = [c for c in product(range(6), repeat=3) if not (table[np.ix_(c, c)] & ~int(tolerated)).any()]
    net = np.where(excluded[:, :, None], np.nan, 1 + (prices - 1) * (1 - commission[:, None]))
    for line in range(30):
        returns = [1 / sum(1 / net[line, b, o] for o, b in enumerate(c)) - 1 for c in choices]
        best = np.fmax.reduce(returns)
        assert found.compatible.guaranteed_return[line] == pytest.approx(best, nan_ok=True)
    np.testing.assert_array_equal(found.unrestricted.book, find_arbitrage(prices, excluded, commission).book)


def test_middles_across_rules_are_labelled_and_left_out() -> None:
    cells = np.full((2, 21), 1 / 21)
    over = np.array([[1.95, 1.90, 1.90], [1.95, 1.90, np.nan]])
    at, under = np.array([[9.5, 10.5, 10.5], [9.5, 10.5, 10.5]]), np.array([[1.8, 1.95, 1.9], [1.8, 1.9, np.nan]])
    under_at = np.array([[9.5, 12.5, 12.5], [9.5, 12.5, 11.5]])
    rules = [REGULATION, OVERTIME, REGULATION]
    found, labels = find_compatible_pairs(over, at, under, under_at, rules, pmf=cells, low=0)
    assert labels.tolist() == [Conflict.PERIOD] * 2
    assert found.over_book.tolist() == [0, 1]
    assert found.under_book.tolist() == [2, 1]
    anyhow, _ = find_compatible_pairs(over, at, under, under_at, rules, pmf=cells, low=0, tolerated=Conflict.PERIOD)
    assert anyhow.over_book.tolist() == [0, 0]
    assert anyhow.under_book.tolist() == [1, 1]
