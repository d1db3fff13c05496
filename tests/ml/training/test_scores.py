from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit, logit

from ml.training.scores import calibrate, closing_errors, clustered_mean, log_losses
from ml.training.simulated_bets import BetTable, clv_difference, summarise


def test_an_interval_without_clusters_is_the_usual_one() -> None:
    values = np.random.default_rng(0).normal(1, 2, 500)
    found = clustered_mean(values, np.arange(500))
    error = stats.sem(values)
    low, high = stats.norm.interval(0.95, values.mean(), error)
    np.testing.assert_allclose(found, [values.mean(), low, high], rtol=1e-9)


def test_a_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(60), 10)
    covered = {"clustered": 0, "plain": 0}
    for _ in range(400):
        values = rng.normal(0, 1, 60)[day] + rng.normal(0, 1, 600)
        for name, cluster in (("clustered", day), ("plain", np.arange(600))):
            _, low, high = clustered_mean(values, cluster)
            covered[name] += low <= 0 <= high
    assert covered["clustered"] / 400 > 0.91
    assert covered["plain"] / 400 < 0.75


def test_closing_error_is_the_relative_entropy() -> None:
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet([2, 2, 2], (2, 50))
    np.testing.assert_allclose(closing_errors(q, p), stats.entropy(p, q, axis=1), rtol=1e-12)


def test_the_log_loss_of_half_won_bets_is_least_at_the_fair_price() -> None:
    """A quarter point wins half of the stake on a draw: the fair price pays for the decided part of the stake."""
    won = np.array([[1.0, 0.0]] * 50 + [[1.0, 0.0]] * 20 + [[0.0, 1.0]] * 30)
    at_risk = np.array([1.0] * 50 + [0.5] * 20 + [1.0] * 30)
    fair = 60 / 90
    losses = [log_losses(np.tile([p, 1 - p], (100, 1)), won, at_risk).sum() for p in (fair - 0.01, fair, fair + 0.01)]
    assert losses[1] == min(losses)
    price = 1 / fair
    profit = at_risk * (won[:, 0] * price - 1)
    assert abs(profit.sum()) < 1e-9


def test_calibration_is_the_maximum_likelihood_and_finds_overconfidence() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.1, 0.9, 4_000)
    won = (rng.random(4_000) < truth).astype(np.float64)
    claimed = expit(1.5 * logit(truth))
    both = np.stack([won, 1 - won], axis=1)
    found = calibrate(np.stack([claimed, 1 - claimed], axis=1), both, np.arange(4_000))
    x = logit(claimed)

    def loss(beta: np.ndarray) -> float:
        return float(np.sum(np.log1p(np.exp(-(2 * won - 1) * (beta[0] + beta[1] * x)))))

    best = minimize(loss, np.array([0.0, 1.0]))
    assert abs(found.slope - best.x[1]) < 0.02
    assert abs(found.slope - 1 / 1.5) < 4 * found.slope_error


def drawn_bets(seed: int, size: int = 3_000) -> tuple[BetTable, np.ndarray]:
    rng = np.random.default_rng(seed)
    fair = rng.uniform(0.3, 0.7, size)
    close = np.stack([fair, 1 - fair], axis=1)
    price = 1 / (close * np.exp(rng.normal(0.03, 0.04, close.shape)))
    won = (rng.random(size) < fair).astype(np.float64)
    table = BetTable(price, close, np.stack([won, 1 - won], axis=1), np.ones(size), np.arange(size) // 10)
    return table, close


def test_bets_by_the_truth_are_worth_what_they_claim() -> None:
    table, close = drawn_bets(0)
    bets = table.value_bets(close, 0.0)
    summary = summarise(bets)
    assert summary.bets == ((close * table.price - 1) > 0).sum()
    assert abs(summary.expected_value - summary.clv.mean) < 1e-12
    assert summary.profit.low < summary.expected_value < summary.profit.high


def test_a_rule_that_knows_more_wins_at_the_same_number_of_bets_and_itself_does_not() -> None:
    table, close = drawn_bets(1)
    noise = expit(logit(close) + np.random.default_rng(5).normal(0, 0.1, close.shape))
    noisy = table.value_bets(noise)
    informed = table.best_bets(close, len(noisy.row))
    assert len(informed.row) == len(noisy.row)
    assert clv_difference(informed, noisy).low > 0
    same = clv_difference(noisy, noisy)
    assert same.mean == 0
    assert same.high - same.low < 1e-12
