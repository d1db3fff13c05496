from __future__ import annotations

import numpy as np
import pytest

from ml.training.even_odds import EvenBets, choose_threshold, judge_even_bets


def draw_bets(seed: int, size: int = 4_000) -> EvenBets:
    """Bets whose close is the model's probability with noise, and whose results follow the close."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.48, 0.6, size)
    close = probability + rng.normal(0, 0.02, size)
    won = (rng.random(size) < close).astype(np.float64)
    return EvenBets(probability, close, won, np.full(size, 1.91), np.arange(size) // 5)


def test_the_threshold_is_the_lowest_at_which_the_close_implies_the_target() -> None:
    bets = draw_bets(0)
    threshold = choose_threshold(bets)
    assert threshold is not None
    chosen = bets.probability >= threshold
    assert bets.close[chosen].mean() >= 0.545
    lower = bets.probability >= threshold - 0.003
    assert bets.close[lower].mean() < 0.545
    judged = judge_even_bets(draw_bets(1), threshold)
    low, high = judged["won"][1:]
    assert low < judged["implied_by_close"][0] < high


def test_results_take_no_part_in_the_choice() -> None:
    bets = draw_bets(2)
    assert choose_threshold(bets._replace(won=1 - bets.won)) == choose_threshold(bets)


@pytest.mark.parametrize("bets", [draw_bets(3, 150), draw_bets(3)._replace(close=np.full(4_000, 0.5))])
def test_without_enough_such_bets_there_is_no_threshold(bets: EvenBets) -> None:
    assert choose_threshold(bets) is None
