"""Predictions of lines that a model had not seen, by walking forward through the training seasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.arrays import complete_rows
from ml.training.splits import walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.models.fair_model import FairModel
    from ml.training.dataset import TrainingSet

    Array = NDArray[np.float64]

FOLDS = 2
MIN_FOLD_LINES = 500


def has_close(lines: TrainingSet) -> NDArray[np.bool_]:
    """Lines (N,) that can be learned from."""
    return complete_rows(lines.close)


def predict_by_folds(lines: TrainingSet, fit: Callable[[TrainingSet], FairModel], folds: int = FOLDS) -> Array:
    """Probabilities (N, n) of the later half of `lines`, each by a model that was fitted to what was known before.

    NaN for the earlier half, and where a fold would have fewer than `MIN_FOLD_LINES` to learn from.
    """
    predicted = np.full(lines.market.shape, np.nan)
    for split in walk_forward(lines, folds):
        train = lines.take(split.train & has_close(lines))
        if len(train) >= MIN_FOLD_LINES and split.test.any():
            predicted[split.test] = fit(train).predict(lines.features[split.test], lines.market[split.test])
    return predicted
