from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xgboost as xgb
from scipy.special import expit, logit

from ml.models.bundle import Bundle, BundleError, BundleSpec, FeatureSpec, load_bundle, save_bundle
from ml.models.conformal import fit_conformal
from ml.models.fair_model import Boosted, FairModel, Ridge
from ml.training.fitting import BOOSTING, fit_boosted, fit_fair_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEATURES = 4
QUICK = {**BOOSTING, "rounds": 20}


def draw_lines(seed: int = 0, size: int = 600) -> tuple[NDArray[np.float32], Array, Array]:
    """Features, the market and a close that the first feature moves."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(size, 3, FEATURES)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    market = rng.dirichlet([6, 4, 4], size)
    moved = expit(logit(market) + 0.1 * np.nan_to_num(features[:, :, 0]))
    return features, market, moved / moved.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    features, market, close = draw_lines()
    declared = tuple(FeatureSpec(f"f{i}", "log-odds", "quoted", "never") for i in range(FEATURES))
    spec = BundleSpec("m", "soccer", "h2h_3_way", "reference", "pinnacle", 3, declared, "a", "b", 600, "f", {})
    model = fit_fair_model(features, market, close, QUICK)
    return Bundle(spec, model, fit_conformal(model.predict(features, market), close))


def test_a_bundle_predicts_the_same_after_a_round_trip(bundle: Bundle, tmp_path: Path) -> None:
    save_bundle(tmp_path / "model", bundle)
    again = load_bundle(tmp_path / "model")
    features, market, _ = draw_lines(1)
    np.testing.assert_array_equal(again.predict(features, market), bundle.predict(features, market))
    assert again.spec == bundle.spec
    assert again.conformal is not None
    low, high = again.conformal.interval(market, 0.9)
    assert (low < high).all()


def test_with_a_margin_and_without_the_trees_say_the_same(bundle: Bundle) -> None:
    features, market, _ = draw_lines(2)
    boosted = bundle.model.members["xgboost"]
    assert isinstance(boosted, Boosted)
    rows = xgb.DMatrix(features.reshape(-1, FEATURES), base_margin=logit(market).ravel())
    with_margin = boosted.booster.predict(rows).reshape(market.shape)
    without = expit(logit(market) + boosted.correct(features, logit(market)))
    np.testing.assert_allclose(without, with_margin, atol=1e-6)


def test_the_trap_is_real_without_base_score() -> None:
    """With a fitted base_score the same two paths disagree: why every booster here has .5."""
    features, market, _ = draw_lines(3)
    rare = market * 0.2
    fitted = fit_boosted(features, rare, rare, {**QUICK, "base_score": None})
    without = expit(logit(rare) + fitted.correct(features, logit(rare)))
    assert np.abs(logit(without) - logit(rare)).max() > 0.3


def test_a_model_without_a_correction_is_the_market() -> None:
    features, market, _ = draw_lines(4)
    nothing = Ridge(np.zeros((3, FEATURES)), np.ones((3, FEATURES)), np.zeros((3, FEATURES)), np.zeros(3))
    np.testing.assert_allclose(FairModel({"ridge": nothing}).predict(features, market), market, rtol=1e-12)


def test_a_row_is_priced_alike_alone_and_among_others(bundle: Bundle) -> None:
    features, market, _ = draw_lines(5)
    whole = bundle.predict(features, market)
    for row in (0, 17, 599):
        np.testing.assert_array_equal(bundle.predict(features[row : row + 1], market[row : row + 1])[0], whole[row])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("name", ["spec.json", "ridge.npz", "xgboost.ubj", "conformal.npz"])
def test_a_damaged_file_is_named(bundle: Bundle, tmp_path: Path, name: str) -> None:
    save_bundle(tmp_path, bundle)
    cut_short(tmp_path / name)
    with pytest.raises(BundleError, match=name):
        load_bundle(tmp_path)


def test_a_booster_with_an_intercept_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    features, market, close = draw_lines()
    booster = fit_boosted(features, market, close, {**QUICK, "base_score": 0.3})
    save_bundle(tmp_path, Bundle(bundle.spec, FairModel({**bundle.model.members, "xgboost": booster}), None))
    with pytest.raises(BundleError, match="base_score"):
        load_bundle(tmp_path)


def test_intervals_hold_the_next_close_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        market = rng.uniform(0.2, 0.8, (301, 1))
        close = expit(logit(market) + rng.standard_t(3, market.shape) * 0.1)
        fitted = fit_conformal(market[:-1], close[:-1])
        assert fitted is not None
        low, high = fitted.interval(market[-1:], 0.8)
        inside.append(bool(low[0, 0] <= close[-1, 0] <= high[0, 0]))
    assert 0.74 < np.mean(inside) < 0.87
    assert fit_conformal(market[:50], close[:50]) is None
