"""Books at different points of one market."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from ml.points import PointFit, fit_points, line_win_push_loss, point_models_for, translate_points
from ml.points.ladder import MAX_TRANSLATION_LOG_ODDS, TRANSLATION_ERROR_RATIO
from ml.quotes import Market
from tests.support.point_models import NFL_MARGIN, SOCCER_TOTAL

NAN = float("nan")


def log_odds_at(mean: float, threshold: float) -> float:
    """A threshold's probability at a book that believes in `mean`."""
    fit = fit_points(NFL_MARGIN, np.array([[0.5]]), np.array([[0.5]]), np.ones((1, 1)))
    there = PointFit(NFL_MARGIN, np.array([[mean, NFL_MARGIN.typical_parameters[1]]]), fit.status, fit.rms_residual)
    return float(logit(there.win_push_loss(np.array([[threshold]])).win_given_decided())[0, 0])


def test_a_book_that_agrees_is_carried_over_to_the_others_estimate() -> None:
    """All books believe in the same margin, at two points: each is carried exactly to where the others stand."""
    thresholds = np.array([2.5, 3.0])
    opinion = np.array([[log_odds_at(3.2, 2.5), NAN, log_odds_at(3.2, 2.5)], [NAN, log_odds_at(3.2, 3.0), NAN]])
    carried = translate_points(NFL_MARGIN, np.zeros(2, np.intp), thresholds, opinion, np.ones((2, 3)))
    expected = np.repeat([[log_odds_at(3.2, 2.5)], [log_odds_at(3.2, 3.0)]], 3, axis=1)
    np.testing.assert_allclose(carried.fair_log_odds, expected, atol=2e-3)
    way = log_odds_at(3.2, 3.0) - log_odds_at(3.2, 2.5)
    np.testing.assert_allclose(carried.variance[0], [0, (TRANSLATION_ERROR_RATIO * way) ** 2, 0], rtol=0.02)


def test_a_book_keeps_its_distance() -> None:
    opinion = np.array([[log_odds_at(3.2, 2.5)] * 4 + [NAN], [NAN] * 4 + [log_odds_at(3.2, 3.0) + 0.1]])
    carried = translate_points(NFL_MARGIN, np.zeros(2, np.intp), np.array([2.5, 3.0]), opinion, np.ones((2, 5)))
    assert carried.fair_log_odds[0, 4] - carried.fair_log_odds[0, 0] == pytest.approx(0.1, abs=0.03)


def test_offered_points_are_never_replaced_and_distant_ones_never_carried_over() -> None:
    opinion = np.array([[0.1, NAN], [NAN, -0.1], [0.3, NAN]])
    carried = translate_points(NFL_MARGIN, np.zeros(3, np.intp), np.array([3.0, 17.0, 2.0]), opinion, np.ones((3, 2)))
    offered = ~np.isnan(opinion)
    np.testing.assert_array_equal(carried.fair_log_odds[offered], opinion[offered])
    assert not carried.variance[offered].any()
    assert np.isnan(carried.fair_log_odds[1, 0])
    assert np.isnan(carried.fair_log_odds[0, 1])
    assert abs(log_odds_at(3.0, 17.0) - log_odds_at(3.0, 3.0)) > MAX_TRANSLATION_LOG_ODDS


def test_lines_of_different_markets_are_independent() -> None:
    opinion = np.array([[0.1, NAN], [NAN, -0.1]])
    carried = translate_points(NFL_MARGIN, np.array([4, 9]), np.array([3.0, 3.5]), opinion, np.ones((2, 2)))
    np.testing.assert_array_equal(carried.fair_log_odds, opinion)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([1.5, 2.0, 2.25, 2.5, 3.0]), st.floats(-0.6, 0.6)), max_size=8
    )
)
def test_ladders_are_independent(rows: list[tuple[int, float, float]]) -> None:
    ladder = np.array([r[0] for r in rows], np.intp)
    threshold = np.array([r[1] for r in rows])
    opinion = np.full((len(rows), 4), NAN)
    for i, row in enumerate(rows):
        opinion[i, i % 4] = row[2]
    whole = translate_points(SOCCER_TOTAL, ladder, threshold, opinion, np.ones(opinion.shape))
    for name in set(ladder.tolist()):
        own = ladder == name
        alone = translate_points(SOCCER_TOTAL, ladder[own], threshold[own], opinion[own], np.ones((own.sum(), 4)))
        np.testing.assert_array_equal(alone.fair_log_odds, whole.fair_log_odds[own])
        np.testing.assert_array_equal(alone.variance, whole.variance[own])


def test_three_points_are_pushed_in_one_game_of_twelve() -> None:
    model = point_models_for("americanfootball_nfl")[Market.SPREADS]
    chances = line_win_push_loss(model, np.array([3.0, 2.5, 7.0]), np.array([0.5, 0.5, 0.5]))
    assert 0.07 < chances.push[0] < 0.11
    assert chances.push[1] == 0
    np.testing.assert_allclose(chances.win_given_decided(), 0.5, atol=1e-9)
    np.testing.assert_allclose(chances.win + chances.push + chances.loss, 1)


def test_a_sport_without_figures_has_no_model() -> None:
    assert set(point_models_for("soccer_norway_eliteserien")) == {Market.SPREADS, Market.TOTALS}
    assert not point_models_for("americanfootball_ncaaf")
    assert not point_models_for("cricket_ipl")
