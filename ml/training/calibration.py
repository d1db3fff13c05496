"""Whether a calibration of the ensemble helps: fitted to results of one fold, judged on the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.arrays import complete_rows
from ml.models.fair_model import Platt
from ml.training.scores import Interval, calibrate, closing_errors, clustered_mean, log_losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.dataset import TrainingSet

    Array = NDArray[np.float64]


class CalibrationTrial(NamedTuple):
    """A calibration with its gains over none, in nats, on lines that it was not fitted to.

    `calibration` is fitted to all unseen lines if both gains are above zero with their intervals, else None.
    """

    calibration: Platt | None
    closing_gain: Interval
    result_gain: Interval


def try_calibration(lines: TrainingSet, unseen: Array) -> CalibrationTrial:
    """Fit to the earlier half of the `unseen` predictions (N, n), NaN where there are none, and judge on the later."""
    known = np.flatnonzero(complete_rows(unseen))
    earlier, later = np.array_split(known, 2)
    fitted = _fit(lines, unseen, earlier)
    nothing = Interval(np.nan, np.nan, np.nan)
    if fitted is None:
        return CalibrationTrial(None, nothing, nothing)
    test, plain = lines.take(later), unseen[later]
    both = plain, fitted.apply(plain)
    close = [closing_errors(p, test.close) for p in both]
    result = [log_losses(p, test.won, test.at_risk) for p in both]
    gains = [clustered_mean(before - after, test.date) for before, after in (close, result)]
    helps = all(gain.low > 0 for gain in gains)
    return CalibrationTrial(_fit(lines, unseen, known) if helps else None, *gains)


def _fit(lines: TrainingSet, unseen: Array, rows: NDArray[np.intp]) -> Platt | None:
    found = calibrate(unseen[rows], lines.won[rows], lines.date[rows])
    return None if np.isnan(found.slope) else Platt(found.intercept, found.slope)
