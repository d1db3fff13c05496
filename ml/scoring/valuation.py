"""From prices to verdicts: what every price of a set of lines is worth, and whether to say so.

Pure and ladder-wise: the valuation of a line depends on nothing but the prices, ages and start of that line and of its
market's lines at other points, so that scoring only what changed gives what scoring everything would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import net_price
from ml.market.others import measure_dissent
from ml.market.palpable import LIKELY_ERROR_PROBABILITY, error_probability, palpable_features
from ml.scoring.arbitrages import Arbitrages, find_arbitrages
from ml.scoring.confirmations import is_fresh
from ml.scoring.rules import DISPUTED, ONE_SIDED, OPEN, OUTLIER, STALE, STARTED, THIN, ScoringRules, is_alertable
from ml.scoring.strategy import EdgeThreshold

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

    `price` (n, L, B) is after commission; `verdict` (n, L, B) on prices. `alertable` are outcome, line and book (M,) of
    those that are OPEN or an OUTLIER, `error_probability` (M,) the probability that each is a book's error, and
    `log_odds_error` (M,) the standard error of the consensus about it, in log-odds.
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
    strategy: Strategy | None = None,
) -> Valuation:
    """Value every price of `lines` at `now` against the fair prices of `provider`.

    Candidates are those of the `strategy`; by default prices with an edge above the threshold of the `rules`.
    """
    fair = provider.price_lines(lines, books, now, rules)
    price = net_price(lines.price, books.commission) if books.commission.any() else lines.price
    cells = (strategy or EdgeThreshold(rules.threshold_edge)).find_candidates(fair, price)
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
    """The probability that each candidate is an error, beside the `others` (L, B)."""
    outcome, line, book = cells
    if not line.size:
        return np.empty(0)
    return error_probability(palpable_features(price.transpose(1, 2, 0), others, (line, book, outcome)))


def _is_incomplete(cells: Cells, price: Array, fair: Array, sound: Mask) -> Mask:
    """Which candidates are of a book (M,) whose prices on the line leave something out, such as a suspended draw.

    It asks far too little for all outcomes together, and for each of them: a single wrong price leaves the others as
    they should be. Home and away at three-way prices 2.6 and 3.1 cost .71 of what a two-way market pays.
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
    """The verdict on each candidate (M,), of which some are `disputed`, `is_error`, or of markets that are
    `incomplete`.
    """
    _, line, book = cells
    if not line.size:
        return np.empty(0, np.int8)
    fresh = is_fresh(fair.buckets)
    thin = fair.consensus.books[line] < rules.min_books
    verdict = np.full(len(line), OPEN, np.int8)
    # the last assignment wins, so the gravest reason comes last
    verdict[disputed] = DISPUTED
    verdict[thin] = THIN
    verdict[np.isnan(lines.fair_log_odds[0, line, book])] = ONE_SIDED
    verdict[is_error] = OUTLIER
    verdict[incomplete] = ONE_SIDED
    verdict[~fresh[line, book] | ((fair.fresh_sources[line] < rules.min_books) & ~thin)] = STALE
    verdict[started[line]] = STARTED
    return verdict
