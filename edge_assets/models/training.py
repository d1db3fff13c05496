"""Trains the fair models of a sport group, tests them on what came later, and writes them as bundles."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.arrays import complete_rows
from ml.features.prices import Base
from ml.models.bundle import Bundle, BundleSpec, FeatureSpec, save_bundle
from ml.models.conformal import fit_conformal
from ml.models.fair_model import FairModel
from ml.training.calibration import try_calibration
from ml.training.evaluation import GAIN_UNIT, evaluate, evaluate_bets
from ml.training.even_odds import choose_threshold, collect_even_bets, judge_even_bets
from ml.training.fitting import BOOSTING, RIDGE, XGBOOST, fit_boosted, fit_fair_model
from ml.training.fold_predictions import has_close, predict_by_folds
from ml.training.splits import split_at
from ml.training.tuning import tune_boosting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_assets.models.training_data import GroupData
    from ml.quotes import Market
    from ml.training.calibration import CalibrationTrial
    from ml.training.dataset import TrainingSet
    from ml.training.tuning import Trial

    Array = NDArray[np.float64]

MIN_TRAINING_LINES = 2_000
"""With 4,269 matches a prototype gained two thirds of what it gained with 38,402; far fewer show nothing."""
LIBRARIES = ("edge-finder", "numpy", "xgboost", "xgboost-cpu")
ENSEMBLE, ON_RESULTS = "ensemble", "xgboost_on_results"


class Recipe(NamedTuple):
    """How models are fitted: settings of the trees (`ml.training.fitting.BOOSTING`), or `trials` of a search."""

    boosting: Mapping[str, Any] = BOOSTING
    trials: int = 0


USUAL_RECIPE = Recipe()


class TrainingPeriod(NamedTuple):
    """Learn from games that start before `until`, test on those from then to `test_until`, in microseconds."""

    until: int
    test_until: int | None


class TrainedModel(NamedTuple):
    """A model with what it was learned from, its predictions of unseen training lines and of the test lines.

    `recipe` is what it was fitted with, `trials` what was tried before.
    """

    bundle: Bundle
    recipe: Recipe
    trials: list[Trial]
    calibration: CalibrationTrial
    train: TrainingSet
    unseen: Array
    test: TrainingSet
    predicted: Array


class TrainingReport(NamedTuple):
    """What training a group came to; `skipped` states why a model is missing."""

    figures: dict[str, Any]
    models: dict[tuple[Market, Base], TrainedModel]
    skipped: dict[str, str]


def train_group(
    data: GroupData, period: TrainingPeriod, recipe: Recipe = USUAL_RECIPE, tell: Callable[[str], None] = lambda _: None
) -> TrainingReport:
    """Train and test every model of `data`; those with too few lines are skipped, with the reason."""
    models, skipped, figures = {}, {}, {}
    for (market, base), lines in data.sets.items():
        name = model_name(data.group, market, base)
        split = split_at(lines, period.until, period.test_until)
        train, test = lines.take(split.train & has_close(lines)), lines.take(split.test)
        if len(train) < MIN_TRAINING_LINES:
            skipped[name] = (
                f"{len(train):,} lines with a closing price before the test period, {MIN_TRAINING_LINES:,} are needed"
            )
            continue
        tell(name)
        models[market, base] = model = _train(name, data.group, train, test, recipe)
        figures[name] = _figures(model, data.leagues)
    return TrainingReport({"models": figures, "pooled": _pool(models), "skipped": skipped}, models, skipped)


def model_name(group: str, market: Market, base: Base) -> str:
    """The name of a model: `soccer-h2h_3_way-reference`."""
    return f"{group}-{market.key}-{base.value}"


def save_models(report: TrainingReport, directory: Path) -> dict[str, str]:
    """Write each model's bundle below `directory`; the paths by name."""
    paths = {}
    for model in report.models.values():
        path = directory / model.bundle.spec.name
        save_bundle(path, model.bundle)
        paths[model.bundle.spec.name] = str(path)
    return paths


def _train(name: str, group: str, train: TrainingSet, test: TrainingSet, recipe: Recipe) -> TrainedModel:
    trials: list[Trial] = []
    if recipe.trials:
        boosting, trials = tune_boosting(train, recipe.trials)
        recipe = recipe._replace(boosting=boosting)
    unseen = predict_by_folds(train, lambda lines: _fit(lines, recipe))
    tried = try_calibration(train, unseen)
    if tried.calibration:
        unseen = tried.calibration.apply(unseen)
    model = replace(_fit(train, recipe), calibration=tried.calibration)
    bundle = Bundle(_spec(name, group, train, model), model, fit_conformal(unseen, train.close))
    predicted = model.predict(test.features, test.market)
    return TrainedModel(bundle, recipe, trials, tried, train, unseen, test, predicted)


def _fit(lines: TrainingSet, recipe: Recipe) -> FairModel:
    return fit_fair_model(lines.features, lines.market, lines.close, recipe.boosting)


def _spec(name: str, group: str, train: TrainingSet, model: FairModel) -> BundleSpec:
    first, last = (datetime.fromtimestamp(at / 1e6, UTC).isoformat() for at in (train.start[0], train.start[-1]))
    return BundleSpec(
        name, group, train.market_key.key, train.base.value, train.reference, train.market.shape[1],
        tuple(FeatureSpec(f.name, f.unit, f.known_at.value, f.missing) for f in train.declared),
        first, last, len(train), fingerprint(train), _versions(), model.calibration,
    )  # fmt: skip


def fingerprint(lines: TrainingSet) -> str:
    """The SHA-256 of everything that a model learns from: lines, features, the market's price and the close."""
    digest = hashlib.sha256()
    for column in (lines.event, lines.start, lines.point, lines.features, lines.market, lines.close):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # xgboost has another name on Linux
            continue
    return found


def _figures(model: TrainedModel, leagues: Mapping[int, str]) -> dict[str, Any]:
    train, test = model.train, model.test
    figures: dict[str, Any] = {
        "lines": {"training": len(train), "test": len(test)},
        "features": len(train.declared),
        "fingerprint": model.bundle.spec.fingerprint,
        "boosting": dict(model.recipe.boosting),
        "trials": [trial._asdict() for trial in model.trials],
        "calibration_trial": {
            "applied": model.calibration.calibration is not None,
            "closing_gain": model.calibration.closing_gain.scale(1 / GAIN_UNIT).as_json(),
            "result_gain": model.calibration.result_gain.scale(1 / GAIN_UNIT).as_json(),
        },
    }
    known = complete_rows(model.unseen)
    if known.any():
        figures["training_folds"] = evaluate(train.take(known), {ENSEMBLE: model.unseen[known]}, leagues)["models"]
    if not len(test):
        return figures | {"test": None}
    estimates = {
        name: model.bundle.model.predict_member(name, test.features, test.market) for name in (RIDGE, XGBOOST)
    } | {ENSEMBLE: model.predicted}
    if train.base is Base.REFERENCE:
        estimates[ON_RESULTS] = _predict_on_results(train, test, model.recipe)
    figures["test"] = evaluate(test, estimates, leagues)
    if train.base is Base.AVERAGE:
        alone = ~test.has_reference
        only = {name: estimate[alone] for name, estimate in estimates.items()}
        figures["test_without_reference"] = evaluate(test.take(alone), only, leagues)
    return figures


def _predict_on_results(train: TrainingSet, test: TrainingSet, recipe: Recipe) -> Array:
    """The same XGBoost with the results as labels, for comparison: on this data it loses to the market."""
    settled = train.take(train.at_risk > 0)
    booster = fit_boosted(settled.features, settled.market, settled.won, recipe.boosting)
    return FairModel({XGBOOST: booster}).predict(test.features, test.market)


def _pool(models: Mapping[tuple[Market, Base], TrainedModel]) -> dict[str, Any]:
    """Bets over all markets, by the models of lines that the reference prices."""
    chosen = [model for (_, base), model in models.items() if base is Base.REFERENCE]
    if not chosen:
        return {}
    tested = [(model.test, model.predicted) for model in chosen if len(model.test)]
    threshold = choose_threshold(collect_even_bets([(model.train, model.unseen) for model in chosen]))
    even = collect_even_bets(tested)
    return {
        "bets": evaluate_bets(tested) if tested else None,
        "even_odds": judge_even_bets(even, threshold) if threshold is not None and tested else None,
    }
