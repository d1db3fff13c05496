"""From prices to verdicts: what every price of a set of lines is worth, and whether to say so.

Pure and ladder-wise: the valuation of a line depends on nothing but the prices, ages and start of that line and of its
market's lines at other points, so that scoring only what changed gives what scoring everything would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import net_price
from ml.arrays import nonzero_cells
from ml.market import edge
from ml.market.others import measure_dissent
from ml.market.palpable import LIKELY_ERROR_PROBABILITY, error_probability, palpable_features
from ml.market.pooling import pool
from ml.market.weights import merge_clones
from ml.points import translate_points
from ml.scoring.arbitrages import Arbitrages, find_arbitrages
from ml.scoring.confirmations import bucket_weights, is_fresh, staleness_buckets, staleness_variance
from ml.scoring.rules import DISPUTED, ONE_SIDED, OPEN, OUTLIER, STALE, STARTED, THIN, ScoringRules, is_alertable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.arrays import Cells
    from ml.market.pooling import Pool
    from ml.points import PointModel
    from ml.quotes import Market, Micros
    from ml.scoring.books import BookProfiles
    from ml.scoring.matrix import LineView

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Values and verdicts of `lines`.

    `price` (n, L, B) is after commission, `market` the consensus; `verdict` (n, L, B) on prices; `alertable` are
    outcome, line and book (M,) of those that are OPEN or an OUTLIER, for `ml.scoring.alert_metrics`, `mistaken` (M,)
    the probability that each is a book's error, and `log_odds_error` (M,) how wrong the consensus may be about it, a
    standard error in log-odds; `arbitrages` are the arbitrages.
    """

    lines: LineView
    price: Array
    consensus: Pool
    verdict: NDArray[np.int8]
    alertable: Cells
    error_probability: Array
    log_odds_error: Array
    arbitrages: Arbitrages


def value_lines(
    lines: LineView, books: BookProfiles, point_models: Mapping[Market, PointModel], now: Micros, rules: ScoringRules
) -> Valuation:
    """Value every price of `lines` at `now`; `point_models` bring a market's books at different points together."""
    bucket = staleness_buckets(lines.confirmed_at, now, rules)
    offered = np.logical_not(np.isnan(lines.price).all(axis=0))
    sound = lines.booksum >= rules.min_booksum
    consensus = _pool_books(lines, books, point_models, bucket, sound | ~offered, rules)
    price = net_price(lines.price, books.commission) if books.commission.any() else lines.price
    cells = _candidates(consensus.pool.probability, price, rules)
    fresh, started = is_fresh(bucket), lines.commence_at <= now
    error_probabilities = _error_probabilities(cells, lines.price, fresh & (books.weight > 0))
    dissent = measure_dissent(
        consensus.fair_log_odds, consensus.variance, consensus.pool, books.clone_groups, cells, price[cells]
    )
    disputed = dissent.dissent >= rules.max_dissent
    incomplete = _is_incomplete(cells, price, consensus.pool.probability, sound)
    reasons = _classify_candidates(
        cells, consensus, fresh, disputed, error_probabilities >= LIKELY_ERROR_PROBABILITY, incomplete, started, rules
    )
    verdict = np.zeros(price.shape, np.int8)
    verdict[cells] = reasons
    alertable = is_alertable(reasons)
    odd = consensus.pool.outlying_books | ~(sound | np.isnan(lines.booksum))
    arbitrages = find_arbitrages(lines, books, fresh & ~odd, fresh, started, rules)
    cells = tuple(c[alertable] for c in cells)
    return Valuation(
        lines,
        price,
        consensus.pool,
        verdict,
        cells,
        error_probabilities[alertable],
        dissent.log_odds_error[alertable],
        arbitrages,
    )


def _candidates(fair: Array, price: Array, rules: ScoringRules) -> Cells:
    """The prices above the threshold; junk has no price."""
    cells = nonzero_cells(edge(fair[..., None], price) >= rules.threshold_edge)
    possible = (price[cells] > 1) & (price[cells] < np.inf)
    return tuple(c[possible] for c in cells)


@dataclass(frozen=True, slots=True, eq=False)
class _MarketConsensus:
    """The consensus of `fair_log_odds` (n, L, B) with their own `variance` (L, B), how many sources of it are young
    (L,), and whose own prices make a market (L, B).
    """

    pool: Pool
    fair_log_odds: Array
    variance: Array
    fresh_sources: NDArray[np.int64]
    complete: Mask


def _pool_books(
    lines: LineView,
    books: BookProfiles,
    point_models: Mapping[Market, PointModel],
    bucket: NDArray[np.int8],
    sound: Mask,
    rules: ScoringRules,
) -> _MarketConsensus:
    """Pool the books that are fresh and in no conflict with themselves: no book sells all outcomes below cost.

    Where too few are fresh all of them are pooled, so that what the stale ones would have raised can still be
    counted; no alert comes of it.
    """
    fresh = is_fresh(bucket)
    fair_log_odds, translation_variance = _with_other_points(lines, fresh & sound, books.weight, point_models)
    # products, not `where`: half the time
    weight = (~np.isnan(fair_log_odds[0]) & sound) * books.weight
    partly = np.flatnonzero(~fresh.all(axis=1))
    if partly.size:
        young = weight[partly] * fresh[partly]
        enough = merge_clones(young, books.clone_groups).sources >= rules.min_books
        weight[partly[enough]] = young[enough]
    buckets = bucket.astype(np.intp)
    variance = translation_variance + staleness_variance(buckets, rules)
    pooled = pool(fair_log_odds, weight * bucket_weights(buckets), groups=books.clone_groups, variance=variance)
    counted = pooled.books
    if partly.size:
        counted = counted.copy()
        counted[partly] = merge_clones(pooled.weight[partly] * fresh[partly], books.clone_groups).sources
    return _MarketConsensus(pooled, fair_log_odds, variance, counted, ~np.isnan(lines.fair_log_odds[0]))


def _with_other_points(
    lines: LineView, counts: Mask, weight: Array, point_models: Mapping[Market, PointModel]
) -> tuple[Array, Array]:
    """The books' opinions (n, L, B), carried over from other points where they have none, and the variance of that.

    Only books that count (L, B) and have a `weight` (B,) are carried.
    """
    fair_log_odds, variance = lines.fair_log_odds, np.zeros(lines.booksum.shape)
    for market, model in point_models.items():
        [some] = (lines.market == int(market)).nonzero()
        if not (np.bincount(lines.event_market[some]) > 1).any():
            continue
        their_weight = counts[some] * weight
        theirs = np.where(their_weight > 0, lines.fair_log_odds[0, some], np.nan)
        translated = translate_points(model, lines.event_market[some], lines.threshold()[some], theirs, their_weight)
        fair_log_odds = fair_log_odds.copy() if fair_log_odds is lines.fair_log_odds else fair_log_odds
        added = np.where(np.isnan(fair_log_odds[0, some]), translated.fair_log_odds, fair_log_odds[0, some])
        fair_log_odds[:, some] = added, -added
        variance[some] = translated.variance
    return fair_log_odds, variance


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
    consensus: _MarketConsensus,
    fresh: Mask,
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
    thin = consensus.pool.books[line] < rules.min_books
    verdict = np.full(len(line), OPEN, np.int8)
    # the last assignment wins, so the gravest reason comes last
    verdict[disputed] = DISPUTED
    verdict[thin] = THIN
    verdict[~consensus.complete[line, book]] = ONE_SIDED
    verdict[is_error] = OUTLIER
    verdict[incomplete] = ONE_SIDED
    verdict[~fresh[line, book] | ((consensus.fresh_sources[line] < rules.min_books) & ~thin)] = STALE
    verdict[started[line]] = STARTED
    return verdict
