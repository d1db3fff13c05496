from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from ml.points import DistributionFamily, FitStatus, PointModel, WinPushLoss, fit_points, win_push_loss
from ml.points.families import PMF_BY_FAMILY, to_coordinates, to_parameters
from tests.support.point_models import HOCKEY_MARGIN, MODELS, NBA_TOTAL, NFL_MARGIN, SOCCER_MARGIN, SOCCER_TOTAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

every_model = pytest.mark.parametrize(("model", "parameters"), MODELS.values(), ids=MODELS)


def quarters(model: PointModel, parameters: tuple[float, float], reach: float = 2.0) -> Array:
    """Quarter points about the middle, within some standard deviations (1, B)."""
    p, k = model.pmf(np.array([parameters]))[0], model.support
    mean = p @ k
    spread = reach * np.sqrt(p @ (k - mean) ** 2)
    return np.arange(np.ceil(4 * (mean - spread)), 4 * (mean + spread))[None] / 4


def spread_out(model: PointModel, parameters: tuple[float, float]) -> tuple[Array, Array, Array]:
    thresholds = quarters(model, parameters, 1.0)[:, ::2]
    fair = model.win_push_loss(np.array([parameters]), thresholds).win_given_decided()
    return thresholds, fair, np.ones_like(fair)


def test_the_families_are_the_textbook_ones() -> None:
    k = np.arange(-20.0, 21.0)
    two = np.array([[1.9, 0.8]])
    np.testing.assert_allclose(
        PMF_BY_FAMILY[DistributionFamily.SKELLAM](to_coordinates(DistributionFamily.SKELLAM, two), k)[0, 0],
        stats.skellam.pmf(k, 1.9, 0.8),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        PMF_BY_FAMILY[DistributionFamily.NORMAL](to_coordinates(DistributionFamily.NORMAL, two), k)[0, 0],
        np.diff(stats.norm.cdf(np.arange(-20.5, 21), 1.9, 0.8)),
        atol=1e-15,
    )
    np.testing.assert_allclose(
        PMF_BY_FAMILY[DistributionFamily.NEGATIVE_BINOMIAL](
            to_coordinates(DistributionFamily.NEGATIVE_BINOMIAL, two), k
        )[0, 0],
        stats.nbinom.pmf(k, 0.8, 0.8 / (0.8 + 1.9)),
        atol=1e-12,
    )


@every_model
def test_derivatives_are_those_of_the_probabilities(model: PointModel, parameters: tuple[float, float]) -> None:
    x = to_coordinates(model.family, np.array([parameters]))
    np.testing.assert_allclose(to_parameters(model.family, x)[0], parameters, rtol=1e-12)
    for i in range(2):
        step = np.eye(2)[i] * 1e-5
        slope = (model.pmf_with_gradient(x + step)[0] - model.pmf_with_gradient(x - step)[0]) / 2e-5
        np.testing.assert_allclose(model.pmf_with_gradient(x)[1 + i], slope, atol=1e-8)


@every_model
def test_win_push_and_loss_make_one_and_fall_with_the_point(model: PointModel, parameters: tuple[float, float]) -> None:
    thresholds = quarters(model, parameters, 4.0)
    thresholds = thresholds[(thresholds >= model.low) & (thresholds <= model.high)][None]
    win, push, loss = model.win_push_loss(np.array([parameters]), thresholds)
    np.testing.assert_allclose(win + push + loss, 1, atol=1e-14)
    assert (np.diff(win) <= 1e-16).all()
    assert (np.diff(loss) >= -1e-16).all()
    assert (np.diff(WinPushLoss(win, push, loss).fair_price()) >= -1e-9).all()
    halves = np.mod(thresholds, 1) == 0.5
    assert not push[halves].any()


@every_model
def test_a_quarter_is_the_mean_of_its_neighbours(model: PointModel, parameters: tuple[float, float]) -> None:
    thresholds = quarters(model, parameters)
    odd = thresholds[np.mod(thresholds, 0.5) == 0.25][None]
    lower, here, upper = (model.win_push_loss(np.array([parameters]), odd + by) for by in (-0.25, 0, 0.25))
    for a, b, c in zip(lower, here, upper, strict=True):
        np.testing.assert_allclose(b, (a + c) / 2, atol=1e-15)


@every_model
def test_agrees_with_simulated_results(model: PointModel, parameters: tuple[float, float]) -> None:
    p = model.pmf(np.array([parameters]))[0]
    results = np.random.default_rng(3).choice(model.support, size=200_000, p=p)
    price = 1.93
    for threshold in quarters(model, parameters, 1.0)[0][:12]:
        chances = model.win_push_loss(np.array([parameters]), np.array([[threshold]]))
        profit = np.zeros_like(results)
        for leg in (np.floor(threshold * 2) / 2, np.ceil(threshold * 2) / 2):
            profit += np.where(results > leg, price - 1, np.where(results < leg, -1, 0)) / 2
        assert float(chances.expected_value(np.array(price))[0, 0]) == pytest.approx(
            profit.mean(), abs=5 / np.sqrt(2e5)
        )


def test_key_numbers_push_at_the_callers_rate() -> None:
    plain = PointModel(DistributionFamily.NORMAL, -80, 80, (0.0, 12.5))
    at_three, at_two = np.array([[3.0]]), np.array([[2.0]])
    ordinary = NFL_MARGIN.win_push_loss(np.array([[2.0, 12.5]]), at_two).push
    key = NFL_MARGIN.win_push_loss(np.array([[2.0, 12.5]]), at_three).push
    unweighted = [plain.win_push_loss(np.array([[2.0, 12.5]]), at).push for at in (at_two, at_three)]
    assert key / ordinary == pytest.approx(2.4 * unweighted[1] / unweighted[0])
    assert HOCKEY_MARGIN.win_push_loss(np.array([[3.0, 3.0]]), np.array([[0.0]])).push == 0
    assert SOCCER_MARGIN.win_push_loss(np.array([[1.5, 1.2]]), np.array([[0.0]])).push == pytest.approx(
        0.2507, abs=0.01
    )


@every_model
def test_exact_probabilities_give_the_parameters_back(model: PointModel, parameters: tuple[float, float]) -> None:
    thresholds, fair, weights = spread_out(model, parameters)
    fit = fit_points(model, thresholds, fair, weights, prior_strength=0)
    assert fit.status.tolist() == [FitStatus.OK]
    np.testing.assert_allclose(fit.parameters[0], parameters, rtol=1e-6)
    assert fit.rms_residual[0] < 1e-9


@every_model
def test_one_book_is_fitted_exactly_with_the_typical_spread(model: PointModel, parameters: tuple[float, float]) -> None:
    thresholds, fair, weights = (a[:, :1] for a in spread_out(model, parameters))
    fit = fit_points(model, thresholds, fair, weights)
    np.testing.assert_allclose(fit.win_push_loss(thresholds).win_given_decided(), fair, rtol=1e-9)
    second = to_coordinates(model.family, np.array([model.typical_parameters, fit.parameters[0]]))[:, 1]
    assert second[0] == pytest.approx(second[1], abs=1e-9)
    assert fit_points(model, thresholds, fair, weights, prior_strength=0).status[0] == FitStatus.UNDETERMINED


def test_two_and_a_half_against_three() -> None:
    """Home -2.5 and home -3 in the NFL: one true margin, seen at either point."""
    truth = np.array([[3.4, 12.5]])
    thresholds = np.array([[2.5, 2.5, 3.0, 3.5]])
    fair = NFL_MARGIN.win_push_loss(truth, thresholds).win_given_decided()
    fit = fit_points(NFL_MARGIN, thresholds, fair, np.ones_like(fair))
    common = fit.translate(thresholds, fair, np.array([3.0]))
    np.testing.assert_allclose(
        common, NFL_MARGIN.win_push_loss(truth, np.array([[3.0]])).win_given_decided()[0, 0], atol=1e-9
    )
    assert fair[0, 0] - fair[0, 3] > 0.05  # what comparing -2.5 with -3.5 would have taken for disagreement
    own = fit.translate(thresholds, fair + 0.01, np.array([2.5]))
    np.testing.assert_allclose(own[0, :2], fair[0, :2] + 0.01, atol=1e-9)


@settings(max_examples=40)
@given(
    st.sampled_from(list(MODELS.values())),
    st.lists(st.tuples(st.integers(-6, 6), st.floats(-0.3, 0.3), st.floats(0.1, 3)), min_size=1, max_size=12),
)
def test_noisy_books_are_fitted_best(
    case: tuple[PointModel, tuple[float, float]], books: list[tuple[int, float, float]]
) -> None:
    """Nothing nearby serves the books better, whatever their points, noise and weights."""
    model, parameters = case
    steps, noise, weights = (np.array([x]) for x in zip(*books, strict=True))
    middle = np.round(quarters(model, parameters).mean() * 4) / 4
    thresholds = np.maximum(middle + steps / 4, 0.5)
    odds = model.win_push_loss(np.array([parameters]), thresholds).win_given_decided()
    log_odds = np.log(odds / (1 - odds)) + noise
    fit = fit_points(model, thresholds, 1 / (1 + np.exp(-log_odds)), weights)
    assert fit.status[0] == FitStatus.OK

    def loss(x: Array) -> float:
        p = model.win_push_loss(to_parameters(model.family, x), thresholds).win_given_decided()
        penalty = 4 * (x[0, 1] - to_coordinates(model.family, np.array([model.typical_parameters]))[0, 1]) ** 2
        return float((weights * (log_odds - np.log(p / (1 - p))) ** 2).sum() + penalty)

    x = to_coordinates(model.family, fit.parameters)
    around = [loss(x + np.array(d) * 1e-3) for d in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))]
    assert loss(x) <= min(around)


def test_lines_are_independent_to_the_last_bit() -> None:
    rng = np.random.default_rng(5)
    thresholds = rng.integers(400, 500, (300, 9)) / 2
    fair = np.clip(
        NBA_TOTAL.win_push_loss(np.tile([225.0, 17.0], (300, 1)), thresholds).win_given_decided(), 0.01, 0.99
    )
    fair[rng.random(fair.shape) < 0.3] = np.nan
    weights = rng.uniform(0, 2, fair.shape)
    whole = fit_points(NBA_TOTAL, thresholds, fair, weights)
    one = [slice(i, i + 1) for i in range(300)]
    alone = [fit_points(NBA_TOTAL, thresholds[i], fair[i], weights[i]) for i in one]
    assert np.array_equal(whole.parameters, np.concatenate([a.parameters for a in alone]), equal_nan=True)


def test_lines_that_cannot_be_fitted_have_a_status() -> None:
    nan = float("nan")
    thresholds = np.array([[2.5, 3.0], [nan, nan], [2.5, 2.5], [99.0, -7.0], [2.5, 2.5]])
    fair = np.array([[0.5, 0.45], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5]])
    weights = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    fit = fit_points(SOCCER_TOTAL, thresholds, fair, weights)
    assert fit.status.tolist() == [FitStatus.OK] + [FitStatus.NO_BOOK] * 4
    assert np.isnan(fit.parameters[1:]).all()
    assert np.isnan(fit.win_push_loss(thresholds).win[1:]).all()
    none = np.empty((0, 3))
    assert len(fit_points(SOCCER_TOTAL, none, none, none).status) == 0
    with pytest.raises(ValueError, match="weights"):
        fit_points(SOCCER_TOTAL, thresholds, fair, -weights)
    with pytest.raises(ValueError, match="invalid point model"):
        PointModel(DistributionFamily.NORMAL, 3, 3, (0.0, 1.0))


def test_an_absurd_book_does_not_break_the_fit() -> None:
    thresholds = np.array([[-3.5, -3.0, 79.5], [-79.5, 79.5, 79.0]])
    fair = np.array([[0.5, 0.48, 0.999], [0.999999, 0.9999, 1e-9]])
    fit = fit_points(NFL_MARGIN, thresholds, fair, np.ones_like(fair), prior_strength=1e3)
    ok = fit.status == FitStatus.OK
    assert np.isfinite(fit.parameters[ok]).all()
    assert np.isnan(fit.parameters[~ok]).all()


def test_thresholds_at_and_beyond_the_ends() -> None:
    cells = np.array([[0.2, 0.3, 0.5]])
    win, push, loss = win_push_loss(cells, 0, np.array([[-1.0, -0.5, 0.0, 2.0, 2.5, 3.0, -1.5]]))
    np.testing.assert_allclose(win[0], [1, 1, 0.8, 0, 0, np.nan, np.nan])
    np.testing.assert_allclose(push[0], [0, 0, 0.2, 0.5, 0, np.nan, np.nan])
    np.testing.assert_allclose(loss[0], [0, 0, 0, 0.5, 1, np.nan, np.nan])
