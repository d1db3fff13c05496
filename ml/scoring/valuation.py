"""From prices to verdicts: the value of every price in a set of lines, and whether to alert it.

Pure and ladder by ladder: the valuation of a line depends only on the prices, ages and start of its ladder, so that
scoring only the changed ladders gives the same result as scoring all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import net_price
from ml.market.dissent import measure_dissent
from ml.market.palpable import LIKELY_ERROR_PROBABILITY, error_probability, palpable_features
from ml.scoring.arbitrages import Arbitrages, find_arbitrages
from ml.scoring.confirmations import is_fresh
from ml.scoring.rules import DISPUTED, ONE_SIDED, OPEN, OUTLIER, STALE, STARTED, THIN, ScoringRules, is_alertable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arrays import Cells
    from ml.quotes import Micros
    from ml.scoring.books import BookProfiles
    from ml.scoring.fair_prices import FairPriceProvider, FairPrices
    from ml.scoring.matrix import LineView
    from ml.scoring.strategy import Strategy

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Values and verdicts of `lines`.

    `price` (n, L, B) is after commission, `verdict` (n, L, B) is that on each price. `alertable` are the cells (M,) of
    the prices that are OPEN or OUTLIER, `error_probability` (M,) is the probability that the price is a palpable error,
    and `log_odds_error` (M,) the standard error of the consensus on it, in log-odds.
    """

    lines: LineView
    price: Array
    fair: FairPrices
    verdict: NDArray[np.int8]
    alertable: Cells
    error_probability: Array
    log_odds_error: Array
    arbitrages: Arbitrages


def value_lines(
    lines: LineView,
    books: BookProfiles,
    provider: FairPriceProvider,
    now: Micros,
    rules: ScoringRules,
    strategy: Strategy,
) -> Valuation:
    """Value every price of `lines` at `now` against the fair prices of `provider`; `strategy` chooses candidates."""
    fair = provider.price_lines(lines, books, now, rules)
    price = net_price(lines.price, books.commission) if books.commission.any() else lines.price
    cells = strategy.find_candidates(fair, price)
    fresh, started, sound = is_fresh(fair.buckets), lines.commence_at <= now, lines.booksum >= rules.min_booksum
    error_probabilities = _error_probabilities(cells, lines.price, fresh & (books.weight > 0))
    dissent = measure_dissent(
        fair.fair_log_odds, fair.variance, fair.consensus, books.clone_groups, cells, price[cells]
    )
    reasons = _classify_candidates(
        cells,
        lines,
        fair,
        dissent.dissent >= rules.max_dissent,
        error_probabilities >= LIKELY_ERROR_PROBABILITY,
        _is_incomplete(cells, price, fair.probability, sound),
        started,
        rules,
    )
    verdict = np.zeros(price.shape, np.int8)
    verdict[cells] = reasons
    alertable = is_alertable(reasons)
    odd = fair.consensus.outlying_books | ~(sound | np.isnan(lines.booksum))
    return Valuation(
        lines,
        price,
        fair,
        verdict,
        tuple(c[alertable] for c in cells),
        error_probabilities[alertable],
        dissent.log_odds_error[alertable],
        find_arbitrages(lines, books, fresh & ~odd, fresh, started, rules),
    )


def _error_probabilities(cells: Cells, price: Array, others: Mask) -> Array:
    """The probability that each candidate is a palpable error, compared with the books in `others` (L, B)."""
    outcome, line, book = cells
    if not line.size:
        return np.empty(0)
    return error_probability(palpable_features(price.transpose(1, 2, 0), others, (line, book, outcome)))


def _is_incomplete(cells: Cells, price: Array, fair: Array, sound: Mask) -> Mask:
    """Which candidates (M,) come from a book whose prices on the line miss an outcome, such as a suspended draw.

    Its booksum is far too low and every one of its prices has a positive edge; a single wrong price would leave the
    others in order. Example: home and away at the three-way prices 2.6 and 3.1 have a booksum of .71.
    """
    _, line, book = cells
    every = (price[:, line, book] * fair[:, line] > 1).all(axis=0)
    incomplete: Mask = every & ~sound[line, book]
    return incomplete


def _classify_candidates(
    cells: Cells,
    lines: LineView,
    fair: FairPrices,
    disputed: Mask,
    is_error: Mask,
    incomplete: Mask,
    started: Mask,
    rules: ScoringRules,
) -> NDArray[np.int8]:
    """The verdict on each candidate (M,), given which are `disputed`, palpable errors or `incomplete`."""
    _, line, book = cells
    if not line.size:
        return np.empty(0, np.int8)
    fresh = is_fresh(fair.buckets)
    thin = fair.consensus.books[line] < rules.min_books
    verdict = np.full(len(line), OPEN, np.int8)
    # the last assignment wins, so the strongest reason comes last
    verdict[disputed] = DISPUTED
    verdict[thin] = THIN
    verdict[np.isnan(lines.fair_log_odds[0, line, book])] = ONE_SIDED
    verdict[is_error] = OUTLIER
    verdict[incomplete] = ONE_SIDED
    verdict[~fresh[line, book] | ((fair.fresh_sources[line] < rules.min_books) & ~thin)] = STALE
    verdict[started[line]] = STARTED
    return verdict
