"""Search for settings of the trees inside the training folds, every trial recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import optuna

from ml.models.fair_model import FairModel
from ml.training.fitting import BOOSTING, BOOSTING_ROUNDS, XGBOOST, fit_boosted
from ml.training.fold_predictions import predict_by_folds
from ml.training.scores import closing_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.training.dataset import TrainingSet

SEED = 0


class Trial(NamedTuple):
    """Settings that were tried, and the share of the move to the close that the trees recovered on unseen folds."""

    settings: dict[str, Any]
    share: float


def tune_boosting(lines: TrainingSet, trials: int) -> tuple[Mapping[str, Any], list[Trial]]:
    """The best of `trials` settings, the usual ones among them, by the closing error on the training folds."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    usual = {name: BOOSTING[name] for name in ("max_depth", "eta", "colsample_bytree", "reg_lambda")}
    study.enqueue_trial({**usual, "rounds": BOOSTING_ROUNDS})
    tried: list[Trial] = []

    def try_settings(trial: optuna.Trial) -> float:
        settings = {
            "max_depth": trial.suggest_int("max_depth", 3, 7),
            "eta": trial.suggest_float("eta", 0.01, 0.1, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 0.8),
            "reg_lambda": trial.suggest_float("reg_lambda", 1, 200, log=True),
            "rounds": trial.suggest_int("rounds", 200, 900, step=50),
        }
        tried.append(Trial(settings, recovered_share(lines, {**BOOSTING, **settings})))
        return tried[-1].share

    study.optimize(try_settings, n_trials=trials)
    return {**BOOSTING, **max(tried, key=lambda trial: trial.share).settings}, tried


def recovered_share(lines: TrainingSet, boosting: Mapping[str, Any]) -> float:
    """The share of the market's closing error that the trees take away on the folds; NaN if none is large enough."""

    def fit(train: TrainingSet) -> FairModel:
        return FairModel({XGBOOST: fit_boosted(train.features, train.market, train.close, boosting)})

    errors = closing_errors(predict_by_folds(lines, fit), lines.close)
    known = ~np.isnan(errors)
    market = closing_errors(lines.market, lines.close)[known].sum()
    return float(1 - errors[known].sum() / market) if known.any() else float("nan")
