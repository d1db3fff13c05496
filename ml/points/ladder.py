"""Translation of books' prices between the lines of a market at different points."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit

from ml.points.fit import PointFit, fit_points

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ml.points.model import PointModel
    from ml.points.settlement import WinPushLoss

    Array = NDArray[np.float64]

TRANSLATION_ERROR_RATIO = 0.15
"""Standard error of a translation, as a share of its distance in log-odds. From -2.5 to -3 in the NFL the distance is
.19, so the error is .03, about a book's noise. A convention."""
FIXED_SPREAD_STRENGTH = 1e4
"""Strong enough to fix the spread at the sport's: books at different points, each near evens there, disagree about the
middle and carry no information about the spread. A free spread would mistake a minute in which half of the books have
moved for a wide distribution."""
MAX_TRANSLATION_LOG_ODDS = 0.6
"""Distance beyond which a book is not translated: a price on a spread of 7 is little evidence about 14."""


class TranslatedPoints(NamedTuple):
    """Log-odds (L, B) of exceeding each line's threshold, own and translated, and the translation's variance (L, B)."""

    fair_log_odds: Array
    variance: Array


def translate_points(
    model: PointModel, ladder: NDArray[Any], threshold: Array, fair_log_odds: Array, weight: Array
) -> TranslatedPoints:
    """Translate each book's price to every line of the same ladder, not only those it offers.

    `ladder` (L,) numbers each line's ladder, `threshold` (L,) is the line's
    (`ml.points.settlement`), `fair_log_odds` (L, B) the books' fair log-odds of exceeding it, NaN where they have none,
    `weight` (L, B) >= 0. `model` is fitted to each ladder's books, each at its line nearest to evens, and each book
    keeps its distance from the model (`PointFit.translate`). A ladder's result does not depend on the others.
    """
    result = TranslatedPoints(fair_log_odds.copy(), np.zeros_like(fair_log_odds))
    _, group, size = np.unique(ladder, return_inverse=True, return_counts=True)
    lines = np.flatnonzero(size[group] > 1)
    if not lines.size:
        return result
    _, group = np.unique(group[lines], return_inverse=True)
    own, at = fair_log_odds[lines], threshold[lines]
    nearest_even = _lines_nearest_even(group, at, own, weight[lines])
    fit = fit_points(
        model, nearest_even.threshold, expit(nearest_even.fair_log_odds), nearest_even.weight, FIXED_SPREAD_STRENGTH
    )
    here = PointFit(model, fit.parameters[group], fit.status[group], fit.rms_residual[group])
    there = logit(here.translate(nearest_even.threshold[group], expit(nearest_even.fair_log_odds)[group], at))
    shift = there - nearest_even.fair_log_odds[group]
    take = np.isnan(own) & (np.abs(shift) <= MAX_TRANSLATION_LOG_ODDS)
    rows, books = np.nonzero(take)
    result.fair_log_odds[lines[rows], books] = there[take]
    result.variance[lines[rows], books] = (TRANSLATION_ERROR_RATIO * shift[take]) ** 2
    return result


class _NearestEven(NamedTuple):
    """Each book's log-odds nearest to evens in each market (K, B), with threshold and weight; NaN where it has none."""

    fair_log_odds: Array
    threshold: Array
    weight: Array


def _lines_nearest_even(group: NDArray[np.intp], threshold: Array, fair_log_odds: Array, weight: Array) -> _NearestEven:
    order = np.argsort(group, kind="stable")
    distance = np.where(np.isnan(fair_log_odds), np.inf, np.abs(fair_log_odds))[order]
    nearest = np.minimum.reduceat(distance, np.flatnonzero(np.diff(group[order], prepend=-1)), axis=0)
    best = np.zeros(nearest.shape, np.intp)
    # from the last line to the first, so that the first of equals wins
    for i in range(len(order) - 1, -1, -1):
        k = group[order[i]]
        best[k] = np.where(distance[i] == nearest[k], order[i], best[k])
    missing, book = np.isinf(nearest), np.arange(fair_log_odds.shape[1])
    return _NearestEven(
        np.where(missing, np.nan, fair_log_odds[best, book]),
        np.where(missing, np.nan, threshold[best]),
        np.where(missing, 0.0, weight[best, book]),
    )


def line_win_push_loss(model: PointModel, threshold: Array, fair: Array) -> WinPushLoss:
    """Win, push and loss (L,) of exceeding `threshold` (L,) where the probability given a decision is `fair` (L,).

    From the model with the sport's typical spread, located to agree with `fair`; NaN where that is impossible.
    """
    fit = fit_points(model, threshold[:, None], fair[:, None], np.ones((len(fair), 1)))
    chances = fit.win_push_loss(threshold[:, None])
    return type(chances)(*(share[:, 0] for share in chances))
