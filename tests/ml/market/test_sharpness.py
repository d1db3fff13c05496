"""Measured weights: the truth where there is evidence, the convention where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from ml.market.pooling import BOOK_NOISE_LOG_ODDS
from ml.market.sharpness import MAX_WEIGHT_CHANGE_RATIO, posterior_weights

GAINS = st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(1e-6, 1), st.floats(0.1, 25)), min_size=2, max_size=8)


def test_enough_games_find_the_books_that_err_less() -> None:
    rng, games = np.random.default_rng(7), 1_000_000
    true = np.array([4.0, 1.0, 1.0, 0.5])
    odds = rng.normal(0, 0.6, games)
    won = rng.random(games) < expit(odds)
    opinions = odds + rng.normal(0, BOOK_NOISE_LOG_ODDS, (4, games)) / np.sqrt(true)[:, None]
    loss = np.logaddexp(0, np.where(won, -opinions, opinions))
    gains = loss.mean(axis=0) - loss
    prior = np.array([1.5, 1.5, 1.0, 1.0])
    found = posterior_weights(prior, gains.mean(axis=1), gains.std(axis=1) / np.sqrt(games))
    assert np.abs(np.log(found / found[1] * true[1] / true)).max() < 0.5 < np.log(true[0] / true[1])


def test_the_chance_of_a_season_moves_little() -> None:
    """Luck of one standard error in 269 games: a fifth at most."""
    prior, error = np.array([5.0, 1.0, 1.0]), np.full(3, 0.02 / np.sqrt(269))
    found = posterior_weights(prior, np.array([-1.0, 1.0, 0.0]) * error, error)
    np.testing.assert_allclose(found, prior, rtol=0.2)


def test_books_without_games_keep_their_prior() -> None:
    prior, nothing = np.array([5.0, 1.0, 2.0]), np.full(3, np.nan)
    assert posterior_weights(prior, nothing, nothing).tolist() == prior.tolist()
    found = posterior_weights(prior, np.array([0.01, -0.01, np.nan]), np.array([1e-4, 1e-4, np.nan]))
    assert found[2] == 2
    assert found[0] > 5
    assert found[1] < 1


@given(GAINS)
def test_weights_stay_near_the_prior_and_follow_the_gain(books: list[tuple[float, float, float]]) -> None:
    gain, error, prior = (np.array(column) for column in zip(*books, strict=True))
    found = posterior_weights(prior, gain, error)
    factor = found / prior
    assert ((factor >= 1 / MAX_WEIGHT_CHANGE_RATIO - 1e-12) & (factor <= MAX_WEIGHT_CHANGE_RATIO + 1e-12)).all()
    better = posterior_weights(prior, gain + np.eye(len(gain))[0] * 0.01, error)
    assert better[0] >= found[0] - 1e-12
    assert (better[1:] <= found[1:] + 1e-12).all()


def test_the_benchmark_cancels_out() -> None:
    prior, gain, error = np.array([5.0, 1.0, 1.0]), np.array([0.001, -0.002, 0.0]), np.full(3, 2e-4)
    shifted = posterior_weights(prior, gain + 0.5, error)
    assert shifted == pytest.approx(posterior_weights(prior, gain, error))
