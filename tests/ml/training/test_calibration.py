from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from ml.training.calibration import try_calibration
from ml.training.dataset import TrainingSet
from tests.ml.training.test_splits import drawn_lines


def with_results(lines: TrainingSet, copies: int = 12) -> TrainingSet:
    """Lines whose results follow the close, enough of them to judge a calibration."""
    rng = np.random.default_rng(0)
    many = lines.take(np.sort(np.tile(np.arange(len(lines)), copies)))
    winner = (rng.random(len(many))[:, None] > many.close.cumsum(axis=1)).sum(axis=1)
    return replace(many, won=np.eye(3)[np.minimum(winner, 2)], date=np.arange(len(many)))


def test_overconfidence_is_calibrated_and_a_good_model_is_left_alone() -> None:
    lines = with_results(drawn_lines())
    claimed = expit(1.6 * logit(lines.close))
    mended = try_calibration(lines, claimed / claimed.sum(axis=1, keepdims=True))
    assert mended.calibration is not None
    assert 0.5 < mended.calibration.slope < 0.8
    assert mended.result_gain.low > 0
    assert try_calibration(lines, lines.close).calibration is None


def test_without_results_nothing_is_calibrated() -> None:
    lines = drawn_lines()
    assert try_calibration(lines, lines.market).calibration is None
