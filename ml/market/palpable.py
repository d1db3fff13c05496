"""Palpable errors: whether a price that seems too good is a mistake, which the book may void, or value.

A logistic model of five ratios, so the odds of an error are a product of their powers (`DEFAULT_WEIGHTS`). It uses only
the prices of one moment and compares a book with the others on its line. An error is *palpable* if it makes the odds at
least 1.8 times too long; a smaller one may be an opinion and is mostly left alone.

Weights are fitted by `tests/ml/market/palpable_fit.py` and evaluated by `tests/ml/market/test_palpable.py` on seeds,
seasons and weeks outside the fit. Figures of November 2026, at an edge of .05 with four other books, above
`LIKELY_ERROR_PROBABILITY`. The features, the ridge and the threshold were chosen with the recorded sources in view,
except for the NBA's days, so the figures on those sources are optimistic; the simulated seeds were evaluated once,
afterwards.

- Simulated market, seeds 23, 29 and 31, 180 events every 15 minutes: 45 of 45 errors caught, 0 of 355 value prices
  flagged. While an error is on display: 318 of 318 caught, 1 of 78 value prices flagged. (Before the simulated NFL had
  key numbers; with them, at seed 23: 15 of 15 and 0 of 132, 90 of 90 and 0 of 25.) An easy test: there the distance
  alone nearly separates the two.
- One error put into a recorded line (NFL 2025 from November, football-data 2019-24, NBA 2021-24, all regions of a day
  in 2026; the palpable ones among 500 drawn for each kind and source), recall: outcomes swapped 95-100%, decimal point
  100%, American sign lost 94-100%, stake counted twice 97-100%, another market's prices 86-95%, prices of a point 3 to
  7 away 66-95%. Of errors that are not palpable 0-53%.
- Unmodified recorded prices flagged as errors: NFL 9 of 1,082,268 (84 above the edge; an unchanged price counts again
  when its line changes), football-data 3 of 526,074 (46), NBA 1 of 71,760 (1), all regions 0 of 11,924 (0).
- Rows of football-data that contradict themselves (a book above the row's own best price by more than 2%): 12 of 269
  caught, 1 of 25 others flagged: precision 92%, recall 4%. Most are off by .2 to .4 in log-odds, as opinions are; every
  one that is off by log(1.8) is caught.
- Outlying NFL prices, 30 from November on: flagged are none of 7 that the book took back within the hour while the
  others did not move, 3 of 17 others, none of 6 whose line ended. On inspection the season has one palpable error,
  evens at 9.1 for one poll, and it is caught; it lies in the weeks of the fit but was excluded from it.

The prior frequency of errors is not learned: recorded data have too few. Nor can a single moment distinguish a lone
book that lags behind very large news from one in error. Whether the price is older than the others' move was tried and
added nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from ml.arrays import medians
from ml.market.methods import booksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Cells = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


class PalpableWeights(NamedTuple):
    """`intercept`: log-odds of an error where every ratio is 1; then the exponent of each ratio."""

    intercept: float
    distance: float
    distance_per_spread: float
    lead_per_distance: float
    booksum_ratio: float
    misprint_ratio: float


DEFAULT_WEIGHTS = PalpableWeights(
    intercept=-2.426,
    distance=2.025,
    distance_per_spread=1.268,
    lead_per_distance=1.782,
    booksum_ratio=1.676,
    misprint_ratio=0.461,
)
LIKELY_ERROR_PROBABILITY = 0.5
MIN_LOG_ODDS = 0.03
"""Lower bound of a distance, a spread and a lead: one price step near evens."""
MATCH_TOLERANCE_LOG_ODDS = 0.05
"""Distance, in log-odds, within which two rows of prices count as equal."""
SD_PER_MAD = 1.4826
MISPRINT_COUNT = 4
LOG_TEN, LOG_NINE, LOG_HUNDRED, LOG_NINETY_NINE = map(log, (10, 9, 100, 99))


@dataclass(frozen=True, slots=True, eq=False)
class PalpableFeatures:
    """Features of prices, one column (M,) each, NaN where there are too few other books to compare with.

    The log-odds of a price are those of the probability it implies: -log(price - 1).

    `distance`: from the price to the others' fair probability (multiplicative, their median) in log-odds; negative
    where the price is below fair. `spread`: the others' own deviation from that median (1.4826 MAD). `lead`: how far
    the price is above the second best of the others, in log-odds: books that lag behind news are not alone, whereas an
    error is shared by a clone at most. `booksum_ratio`: the others' median booksum divided by the book's own; 1 where
    the book does not offer every outcome. `misprint_ratio`: how many times nearer the book's row of prices is to a
    misprint of the others' median row than to that row itself. The misprints: two outcomes swapped, a decimal point
    moved by one or two places, the sign of an American price lost, the stake counted twice.
    """

    distance: Array
    spread: Array
    lead: Array
    booksum_ratio: Array
    misprint_ratio: Array


def error_probability(features: PalpableFeatures, weights: PalpableWeights = DEFAULT_WEIGHTS) -> Array:
    """The probability (M,) that a price is an error, if errors and value are equally likely a priori.

    Above `LIKELY_ERROR_PROBABILITY` a price is to be shown as "likely error: may be voided". For other prior odds
    multiply p / (1 - p) by them. NaN where a feature is NaN, and NaN exceeds no threshold.
    """
    score: Array = weights.intercept + reduce(np.add, map(np.multiply, weights[1:], log_ratios(features)))
    return expit(score)


def log_ratios(features: PalpableFeatures) -> tuple[Array, Array, Array, Array, Array]:
    """The logs of the ratios in the order of the weights: distance, distance / spread, lead / distance, booksum,
    misprint.
    """
    distance = np.log(np.maximum(features.distance, MIN_LOG_ODDS))
    spread = np.log(np.maximum(features.spread, MIN_LOG_ODDS))
    lead = np.log(np.maximum(features.lead, MIN_LOG_ODDS))
    return distance, distance - spread, lead - distance, np.log(features.booksum_ratio), np.log(features.misprint_ratio)


def palpable_features(price: Array, comparison_books: NDArray[np.bool_], candidates: Cells) -> PalpableFeatures:
    """Features of `candidates`, (line, book, outcome) each (M,), among decimal `price` (L, B, n), NaN where none.

    `comparison_books` (L, B) are the books to compare with, except a candidate's own: fresh ones with weight, outliers
    included, because medians tolerate them. Only books with a valid price on every outcome are used. A candidate's
    features depend only on its own line. With fewer than two other books they are NaN.
    """
    line, book, outcome = candidates
    # outcomes come first, the candidate's own before the others, and books last
    outcomes = price.shape[2]
    rows = price.transpose(2, 0, 1)[(outcome + np.arange(outcomes)[:, None]) % outcomes, line]
    rows = np.where((rows > 1) & np.isfinite(rows), rows, np.nan)
    own = rows[:, np.arange(len(line)), book]
    others = np.where(_complete_others(rows, comparison_books[line], book), rows, np.nan)

    implied = 1 / others
    opinion = np.log(implied[0]) - np.log(booksum(implied[1:]))
    fair, usual_booksum, *usual = medians(np.stack([opinion, booksum(implied), *others]))
    cost = np.log(usual_booksum) - np.log(booksum(1 / own))
    return PalpableFeatures(
        distance=fair - _log_odds(own[0]),
        spread=SD_PER_MAD * medians(np.abs(opinion - fair[:, None])),
        lead=_second_best_log_odds(others[0]) - _log_odds(own[0]),
        booksum_ratio=np.exp(np.where(np.isnan(cost), 0.0, cost)),
        misprint_ratio=_misprint_ratio(_log_odds(own), _log_odds(np.stack(usual))),
    )


def _complete_others(rows: Array, comparison_books: NDArray[np.bool_], book: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The other books of each candidate (M, B) that offer every outcome."""
    others: NDArray[np.bool_] = comparison_books & reduce(np.logical_and, ~np.isnan(rows))
    others[np.arange(len(book)), book] = False
    return others


def _log_odds(price: Array) -> Array:
    log_odds: Array = -np.log(price - 1)
    return log_odds


def _second_best_log_odds(price: Array) -> Array:
    """Log-odds of the second longest along the last axis, NaN where there are fewer."""
    if price.shape[-1] <= 1:
        return np.full(price.shape[:-1], np.nan)
    return np.sort(_log_odds(price), axis=-1)[..., 1]


def _misprint_ratio(own: Array, usual: Array) -> Array:
    """`PalpableFeatures.misprint_ratio` of log-odds (n, M); the distance of two rows is the largest over outcomes."""
    misprinted = np.stack([usual] * (len(usual) + MISPRINT_COUNT))
    for k in range(1, len(usual)):
        misprinted[k, [0, k]] = usual[[k, 0]]
    misprinted[-MISPRINT_COUNT:, 0] = _misprinted_log_odds(usual[0])
    to_usual, *to_slipped = np.fmax.reduce(np.abs(own - misprinted), axis=1)
    ratio: Array = (to_usual + MATCH_TOLERANCE_LOG_ODDS) / (np.minimum.reduce(to_slipped) + MATCH_TOLERANCE_LOG_ODDS)
    return ratio


def _misprinted_log_odds(usual: Array) -> Array:
    """Log-odds (`MISPRINT_COUNT`, M) of the price times 10, times 100, with its American sign lost, and plus one."""
    known = np.where(np.isnan(usual), 0.0, usual)  # logaddexp warns of NaN
    misprinted = (
        -np.logaddexp(LOG_TEN - known, LOG_NINE),
        -np.logaddexp(LOG_HUNDRED - known, LOG_NINETY_NINE),
        -known,
        -np.logaddexp(-known, 0),
    )
    return np.where(np.isnan(usual), np.nan, np.stack(misprinted))
