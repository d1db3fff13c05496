"""A price that becomes an alert is not a random one: it was selected because it is far from the rest. Its own book is
part of the consensus it is compared with, and if some other books agree with it, either side may be right: after news
the majority is late and a few books know. Shapes: L lines, B books, n outcomes, M prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market.pooling import BOOK_NOISE_LOG_ODDS, pooled_log_odds_error
from ml.market.weights import source_count_and_squares, sum_over_books

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.market.pooling import Pool
    from ml.market.weights import CloneGroups

    Array = NDArray[np.float64]
    Cells = tuple[NDArray[np.intp], ...]

DISSENT_LOG_ODDS = 4 * BOOK_NOISE_LOG_ODDS
"""Distance from the others' consensus, in log-odds, beyond which a book disagrees and is not merely noisy."""
DISSENT_WEIGHT_FACTOR = 2.0
"""How many times more often than its weight implies a dissenting minority is right: only a few books react to news at
first. Chosen among 1.5, 1.75, 2 and 3 on drawn markets with a known truth (`tests/support/drawn_markets.py`: `FITTED`,
seeds 1 to 6). At 3 the 90% interval held for 95 to 100% of the alerts with dissent, at 1.5 for 88% under equal weights.
"""


class PriceDissent(NamedTuple):
    """`dissent` (M,): the share of the other books' weight that agrees with the price; `log_odds_error` (M,): the
    standard error, in log-odds, of the consensus about it.
    """

    dissent: Array
    log_odds_error: Array


def measure_dissent(
    fair_log_odds: Array, variance: Array, market: Pool, groups: CloneGroups, cells: Cells, price: Array
) -> PriceDissent:
    """Compare decimal `price` (M,) at `cells`, (outcome, line, book) each (M,), with the sources other than its book.

    `fair_log_odds` (n, L, B), their own `variance` (L, B) and the `groups` of clones are those that `market` was pooled
    from. A source dissents if the price has no positive expected value at its own fair probability and it is more than
    `DISSENT_LOG_ODDS` from the others' mean; ordinary noise is not dissent.

    The squared error is e^2 + d^2 + `DISSENT_WEIGHT_FACTOR` q g^2: e the error of the others' mean as `pool` states it,
    d the distance from there to the consensus of all, q the dissent, g the distance from the consensus to the mean of
    the dissenting sources. A line without another source keeps the market's own error.
    `tests/benchmarks/bench_calibration.py` prints how often the 90% interval holds, on drawn markets with a known
    truth.
    """
    outcome, line, book = cells
    full_weight = market.weight[line]
    log_odds = np.where(full_weight > 0, fair_log_odds[outcome, line], 0.0)
    weight = _weights_of_others(book, full_weight, groups)
    alone = ~weight.any(axis=1)
    total = np.where(alone, 1.0, sum_over_books(weight))
    consensus = sum_over_books(full_weight * log_odds) / np.where(alone, 1.0, sum_over_books(full_weight))
    mean = sum_over_books(weight * log_odds) / total
    distance = log_odds - mean[:, None]
    against = weight * ((log_odds <= -np.log(price - 1)[:, None]) & (np.abs(distance) > DISSENT_LOG_ODDS))
    dissenting_weight = sum_over_books(against)
    gap = sum_over_books(against * log_odds) / np.where(dissenting_weight > 0, dissenting_weight, 1.0) - consensus
    sources, squares = source_count_and_squares(weight, groups)
    error = pooled_log_odds_error(
        sum_over_books(weight * distance * distance) / total,
        total * total / np.where(alone, 1.0, squares),
        np.maximum(sources, 1),
        sum_over_books(weight * weight * variance[line]) / (total * total),
    )
    squared = error * error + (mean - consensus) ** 2 + DISSENT_WEIGHT_FACTOR * dissenting_weight / total * gap * gap
    return PriceDissent(
        dissenting_weight / total, np.where(alone, market.log_odds_error[outcome, line], np.sqrt(squared))
    )


def _weights_of_others(book: NDArray[np.intp], weight: Array, groups: CloneGroups) -> Array:
    """The `weight` (M, B) of the books that are neither the price's own `book` (M,) nor its clones."""
    rest = weight.copy()
    rest[np.arange(len(book)), book] = 0.0
    for group in groups:
        rest[np.ix_(np.isin(book, group), group)] = 0.0
    return rest
