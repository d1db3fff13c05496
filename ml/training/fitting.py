"""Fits the members of a fair model to soft labels: the fair closing probability, or the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb
from scipy.special import logit

from ml.models.fair_model import Boosted, FairModel, Ridge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Values = NDArray[np.float32]

RIDGE_PENALTY = 60.0
"""In units of p (1 - p) of a line, summed over lines. 20 to 200 are equal on the folds of the training seasons."""
BOOSTING_ROUNDS = 600
BOOSTING: Mapping[str, Any] = {
    "objective": "binary:logistic",
    "base_score": 0.5,  # any other, or none, adds an intercept wherever the model is asked without a margin
    "max_depth": 5,
    "eta": 0.04,
    "colsample_bytree": 0.4,
    "reg_lambda": 20.0,
    "max_bin": 64,
    "tree_method": "hist",
    "nthread": 1,  # with more, a fit depends on the machine's load and its last bits on the number of threads
    "seed": 0,
}
RIDGE, XGBOOST = "ridge", "xgboost"


def fit_fair_model(features: Values, market: Array, label: Array, boosting: Mapping[str, Any] = BOOSTING) -> FairModel:
    """Ridge and XGBoost on the same features (N, n, F), to be averaged: `market` and soft `label` are (N, n)."""
    return FairModel(
        {
            RIDGE: fit_ridge(features, market, label),
            XGBOOST: fit_boosted(features, market, label, boosting),
        }
    )


def fit_ridge(features: Values, market: Array, label: Array, penalty: float = RIDGE_PENALTY) -> Ridge:
    """Ridge regression of label minus market, in log-odds, by outcome; weighted by the market's p (1 - p).

    Weighted so, squared differences in log-odds are, to second order, the Kullback-Leibler distance.
    """
    known = ~np.isnan(features)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, features - mean, 0.0) ** 2).sum(axis=0) / count)
    mean, scale = np.where(known.any(axis=0), mean, 0.0), np.where(scale > 0, scale, 1.0)
    ridge = Ridge(mean, scale, np.zeros_like(mean), np.zeros(market.shape[1]))
    target = logit(label) - logit(market)
    weight = market * (1 - market)
    inputs = ridge.standardise(features)
    for o in range(market.shape[1]):
        level = np.average(target[:, o], weights=weight[:, o])
        weighted = inputs[:, o] * weight[:, o, None]
        squares = weighted.T @ inputs[:, o] + penalty * np.eye(features.shape[2])
        ridge.coefficient[o] = np.linalg.solve(squares, weighted.T @ (target[:, o] - level))
        ridge.intercept[o] = level
    return ridge


def fit_boosted(
    features: Values, market: Array, label: Array, boosting: Mapping[str, Any] = BOOSTING, rounds: int = BOOSTING_ROUNDS
) -> Boosted:
    """XGBoost, one row for each outcome, with the market's log-odds as `base_margin` and soft labels."""
    rows = xgb.DMatrix(
        features.reshape(-1, features.shape[2]), label=label.ravel(), base_margin=logit(market).ravel(), nthread=1
    )
    settings = dict(boosting)
    return Boosted(xgb.train(settings, rows, int(settings.pop("rounds", rounds))))
