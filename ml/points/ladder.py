"""The lines of a market at different points, and what a book at one of them says of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit

from ml.points.fit import PointFit, fit_points

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ml.points.model import PointModel
    from ml.points.settlement import Chances

    Array = NDArray[np.float64]

CARRY_ERROR = 0.15
"""Standard error of what is added on the way to another point, as a share of it: of what the models miss. From -2.5 to
-3 in the NFL the way is .19 log-odds, so that the error is .03, about as large as a book's noise. A convention."""
FIRM = 1e4
"""The spread is the sport's: books at different points, each near evens there, disagree about the middle and say
nothing of the spread. Left free, it takes a minute in which half of the books have moved for a wide distribution."""
FARTHEST = 0.6
"""Log-odds beyond which a book is not carried: a spread of 7 says little of one of 14."""


class Carried(NamedTuple):
    """Log-odds (L, B) of exceeding each line's threshold, own and carried ones, and the variance (L, B) of the way."""

    opinion: Array
    variance: Array


def carry(model: PointModel, ladder: NDArray[Any], threshold: Array, opinion: Array, weight: Array) -> Carried:
    """Let books speak of every line of their ladder, not only of those that they offer.

    `ladder` (L,) numbers the market that a line belongs to, `threshold` (L,) is the line's (`ml.points.settlement`),
    `opinion` (L, B) the books' fair log-odds of exceeding it, NaN where they say nothing, `weight` (L, B) >= 0. `model`
    is fitted to every ladder's books, each at the line where it is nearest to evens, and each book keeps its distance
    from the model (`PointFit.at_common`). A ladder's result does not depend on the others.
    """
    result = Carried(opinion.copy(), np.zeros_like(opinion))
    _, rung, size = np.unique(ladder, return_inverse=True, return_counts=True)
    lines = np.flatnonzero(size[rung] > 1)
    if not lines.size:
        return result
    _, rung = np.unique(rung[lines], return_inverse=True)
    own, at = opinion[lines], threshold[lines]
    home = _home_lines(rung, at, own, weight[lines])
    fit = fit_points(model, home.threshold, expit(home.opinion), home.weight, FIRM)
    here = PointFit(model, fit.parameters[rung], fit.status[rung], fit.error[rung])
    there = logit(here.at_common(home.threshold[rung], expit(home.opinion)[rung], at))
    way = there - home.opinion[rung]
    take = np.isnan(own) & (np.abs(way) <= FARTHEST)
    rows, books = np.nonzero(take)
    result.opinion[lines[rows], books] = there[take]
    result.variance[lines[rows], books] = (CARRY_ERROR * way[take]) ** 2
    return result


class _Home(NamedTuple):
    """Each book's opinion nearest to evens on each ladder (K, B), its threshold and weight; NaN where it has none."""

    opinion: Array
    threshold: Array
    weight: Array


def _home_lines(rung: NDArray[np.intp], threshold: Array, opinion: Array, weight: Array) -> _Home:
    order = np.argsort(rung, kind="stable")
    distance = np.where(np.isnan(opinion), np.inf, np.abs(opinion))[order]
    nearest = np.minimum.reduceat(distance, np.flatnonzero(np.diff(rung[order], prepend=-1)), axis=0)
    best = np.zeros(nearest.shape, np.intp)
    # the first of equals: from the last line to the first, the nearer ones overwrite
    for i in range(len(order) - 1, -1, -1):
        k = rung[order[i]]
        best[k] = np.where(distance[i] == nearest[k], order[i], best[k])
    missing, book = np.isinf(nearest), np.arange(opinion.shape[1])
    return _Home(
        np.where(missing, np.nan, opinion[best, book]),
        np.where(missing, np.nan, threshold[best]),
        np.where(missing, 0.0, weight[best, book]),
    )


def push_shares(model: PointModel, threshold: Array, fair: Array) -> Chances:
    """Win, push and loss (L,) of exceeding `threshold` (L,) where the probability given a decision is `fair` (L,).

    From the model with the sport's typical spread, placed where it agrees with `fair`; NaN where it cannot.
    """
    alone = fit_points(model, threshold[:, None], fair[:, None], np.ones((len(fair), 1)))
    chances = alone.chances(threshold[:, None])
    return type(chances)(*(share[:, 0] for share in chances))
