"""What the other books say of a price: its own book and its clones are out, and dissent widens the error."""

from __future__ import annotations

import numpy as np
import pytest

from ml.market.dissent import DISSENT_LOG_ODDS, DISSENT_WEIGHT_FACTOR, PriceDissent, measure_dissent
from ml.market.pooling import pool
from ml.market.weights import group_clones

FAR, NEAR = 0.4, -0.05
"""Log-odds at which a price of evens is worth something, and nothing."""
EVENS = np.array([2.0])


def held_against(odds: list[float], book: int = 0, groups: list[int] | None = None, drift: float = 0.0) -> PriceDissent:
    """Evens at `book` on the first outcome, where the books' log-odds are `odds`, and all weigh the same."""
    first = np.array([odds])
    opinions, variance = np.stack([first, -first]), np.full(first.shape, drift)
    same = group_clones(groups or list(range(len(odds))))
    market = pool(opinions, np.ones(first.shape), groups=same, variance=variance)
    cell = np.array([0]), np.array([0]), np.array([book])
    return measure_dissent(opinions, variance, market, same, cell, EVENS)


def test_the_error_of_an_unshared_price_includes_its_own_books_step() -> None:
    others = [0.4] * 8
    alone = pool(np.stack([np.array([others]), -np.array([others])]), np.ones((1, 8)))
    found = held_against([NEAR, *others])
    step = (FAR - NEAR) / 9
    assert found.dissent[0] == 0
    np.testing.assert_allclose(found.log_odds_error[0] ** 2, alone.log_odds_error[0, 0] ** 2 + step**2)


def test_books_that_share_the_price_dissent_and_widen_the_error() -> None:
    odds = [NEAR, NEAR, NEAR, *[FAR] * 7]
    found, quiet = held_against(odds), held_against([NEAR, *[FAR] * 9])
    np.testing.assert_allclose(found.dissent, 2 / 9)
    gap = np.mean(odds) - NEAR
    assert found.log_odds_error[0] ** 2 > DISSENT_WEIGHT_FACTOR * 2 / 9 * gap**2
    assert found.log_odds_error[0] > 3 * quiet.log_odds_error[0]


def test_the_usual_noise_is_not_dissent() -> None:
    odds = [0.0, -0.02, *[DISSENT_LOG_ODDS - 0.04] * 6]
    assert held_against(odds).dissent[0] == 0


def test_a_clone_is_not_another_source() -> None:
    odds = [NEAR, NEAR, *[FAR] * 6]
    apart, together = held_against(odds), held_against(odds, groups=[0, 0, 2, 3, 4, 5, 6, 7])
    assert apart.dissent[0] == pytest.approx(1 / 7)
    assert together.dissent[0] == 0


def test_clones_among_the_others_count_once() -> None:
    odds = [NEAR, NEAR, NEAR, *[FAR] * 6]
    found = held_against(odds, groups=[0, 1, 1, 3, 4, 5, 6, 7, 8])
    assert found.dissent[0] == pytest.approx(1 / 7)


def test_lines_are_independent() -> None:
    rng = np.random.default_rng(3)
    odds, weights = rng.normal(0, 0.2, (50, 9)), rng.uniform(0, 5, (50, 9))
    odds[rng.random(odds.shape) < 0.2] = np.nan
    opinions, variance = np.stack([odds, -odds]), rng.uniform(0, 0.01, odds.shape)
    same = group_clones([0, 1, 1, 3, 4, 5, 5, 5, 8])
    price = rng.uniform(1.5, 3, 50)

    def measure(rows: slice) -> PriceDissent:
        some = opinions[:, rows]
        market = pool(some, weights[rows], groups=same, variance=variance[rows])
        count = some.shape[1]
        cells = np.arange(count) % 2, np.arange(count), np.full(count, 1)
        return measure_dissent(some, variance[rows], market, same, cells, price[rows])

    whole, part = measure(slice(None)), measure(slice(10, 20))
    assert np.isfinite(whole.log_odds_error).all()
    for ours, theirs in zip(whole, part, strict=True):
        assert ours[10:20].tolist() == theirs.tolist()


def test_without_other_sources_the_error_is_the_markets() -> None:
    first = np.array([[0.1, np.nan]])
    opinions = np.stack([first, -first])
    market = pool(opinions, np.ones((1, 2)))
    cell = np.array([0]), np.array([0]), np.array([0])
    found = measure_dissent(opinions, np.zeros((1, 2)), market, (), cell, EVENS)
    assert found.dissent.tolist() == [0]
    np.testing.assert_array_equal(found.log_odds_error, market.log_odds_error[0])


def test_drift_is_part_of_the_error() -> None:
    odds = [NEAR, *[FAR] * 5]
    fresh, old = held_against(odds), held_against(odds, drift=0.05)
    np.testing.assert_allclose(old.log_odds_error**2 - fresh.log_odds_error**2, 0.05 / 5)
