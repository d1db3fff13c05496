"""From prices to verdicts: what every price of a set of lines is worth, and whether to say so.

Pure and ladder-wise: the valuation of a line depends on nothing but the prices, ages and start of that line and of its
market's lines at other points, so that scoring only what changed gives what scoring everything would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import net_price
from ml.market import edge
from ml.market.others import other_books
from ml.market.palpable import LIKELY_ERROR, likely_error, palpable_features
from ml.market.pooling import pool
from ml.market.weights import merged
from ml.points import carry
from ml.scoring.ages import age_steps, age_variance, step_shares, young_steps
from ml.scoring.cells import cells_where
from ml.scoring.rules import DISPUTED, ONE_SIDED, OPEN, OUTLIER, STALE, STARTED, THIN, ScoringRules, tells
from ml.scoring.sure import SureBets, sure_bets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.market.pooling import Pool
    from ml.points import PointModel
    from ml.quotes import Market, Micros
    from ml.scoring.books import Books
    from ml.scoring.cells import Cells
    from ml.scoring.view import LineView

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Values and verdicts of `lines`.

    `price` (n, L, B) is after commission, `market` the consensus; `verdict` (n, L, B) on prices; `told` are outcome,
    line and book (M,) of those that are OPEN or an OUTLIER, for `ml.scoring.appraisal`, `mistaken` (M,) the probability
    that each is a book's error, and `error` (M,) how wrong the consensus may be about it, a standard error in log-odds;
    `sure` are the arbitrages.
    """

    lines: LineView
    price: Array
    market: Pool
    verdict: NDArray[np.int8]
    told: Cells
    mistaken: Array
    error: Array
    sure: SureBets


def value_lines(
    lines: LineView, books: Books, models: Mapping[Market, PointModel], now: Micros, rules: ScoringRules
) -> Valuation:
    """Value every price of `lines` at `now`; `models` bring a market's books at different points together."""
    step = age_steps(lines.book_time, now, rules)
    offered = np.logical_not(np.isnan(lines.price).all(axis=0))
    sound = lines.cost >= rules.least_booksum
    crowd = _crowd(lines, books, models, step, sound | ~offered, rules)
    price = net_price(lines.price, books.commission) if books.commission.any() else lines.price
    cells = _candidates(crowd.market.probability, price, rules)
    young, started = young_steps(step), lines.start <= now
    mistaken = _mistaken(cells, lines.price, young & (books.weight > 0))
    others = other_books(crowd.opinion, crowd.variance, crowd.market, books.clones, cells, price[cells])
    disputed = others.dissent >= rules.most_dissent
    lacking = _lacking(cells, price, crowd.market.probability, sound)
    reasons = _judge(cells, crowd, young, disputed, mistaken >= LIKELY_ERROR, lacking, started, rules)
    verdict = np.zeros(price.shape, np.int8)
    verdict[cells] = reasons
    told = tells(reasons)
    odd = crowd.market.far | ~(sound | np.isnan(lines.cost))
    sure = sure_bets(lines, books, young & ~odd, young, started, rules)
    cells = tuple(c[told] for c in cells)
    return Valuation(lines, price, crowd.market, verdict, cells, mistaken[told], others.error[told], sure)


def _candidates(fair: Array, price: Array, rules: ScoringRules) -> Cells:
    """The prices above the threshold; junk has no price."""
    cells = cells_where(edge(fair[..., None], price) >= rules.threshold_edge)
    possible = (price[cells] > 1) & (price[cells] < np.inf)
    return tuple(c[possible] for c in cells)


@dataclass(frozen=True, slots=True, eq=False)
class _Crowd:
    """The consensus of `opinion` (n, L, B) with their own `variance` (L, B), how many sources of it are young (L,), and
    whose own prices make a market (L, B).
    """

    market: Pool
    opinion: Array
    variance: Array
    young: NDArray[np.int64]
    complete: Mask


def _crowd(
    lines: LineView,
    books: Books,
    models: Mapping[Market, PointModel],
    step: NDArray[np.int8],
    sound: Mask,
    rules: ScoringRules,
) -> _Crowd:
    """Pool the books that are fresh and in no conflict with themselves: no book sells all outcomes below cost.

    Where too few are fresh all of them are pooled, so that what the stale ones would have raised can still be
    counted; no alert comes of it.
    """
    fresh = young_steps(step)
    opinion, way = _with_neighbours(lines, fresh & sound, books.weight, models)
    # products, not `where`: half the time
    weight = (~np.isnan(opinion[0]) & sound) * books.weight
    partly = np.flatnonzero(~fresh.all(axis=1))
    if partly.size:
        young = weight[partly] * fresh[partly]
        enough = merged(young, books.clones).sources >= rules.min_books
        weight[partly[enough]] = young[enough]
    steps = step.astype(np.intp)
    variance = way + age_variance(steps, rules)
    market = pool(opinion, weight * step_shares(steps), groups=books.clones, variance=variance)
    counted = market.books
    if partly.size:
        counted = counted.copy()
        counted[partly] = merged(market.weight[partly] * fresh[partly], books.clones).sources
    return _Crowd(market, opinion, variance, counted, ~np.isnan(lines.opinion[0]))


def _with_neighbours(
    lines: LineView, counts: Mask, weight: Array, models: Mapping[Market, PointModel]
) -> tuple[Array, Array]:
    """The books' opinions (n, L, B), carried over from other points where they have none, and the variance of that.

    Only books that count (L, B) and have a `weight` (B,) are carried.
    """
    opinion, way = lines.opinion, np.zeros(lines.cost.shape)
    for market, model in models.items():
        [some] = (lines.market == int(market)).nonzero()
        if not (np.bincount(lines.ladder[some]) > 1).any():
            continue
        their_weight = counts[some] * weight
        theirs = np.where(their_weight > 0, lines.opinion[0, some], np.nan)
        carried = carry(model, lines.ladder[some], lines.threshold()[some], theirs, their_weight)
        opinion = opinion.copy() if opinion is lines.opinion else opinion
        added = np.where(np.isnan(opinion[0, some]), carried.opinion, opinion[0, some])
        opinion[:, some] = added, -added
        way[some] = carried.variance
    return opinion, way


def _mistaken(cells: Cells, price: Array, others: Mask) -> Array:
    """The probability that each candidate is an error, beside the `others` (L, B)."""
    outcome, line, book = cells
    if not line.size:
        return np.empty(0)
    return likely_error(palpable_features(price.transpose(1, 2, 0), others, (line, book, outcome)))


def _lacking(cells: Cells, price: Array, fair: Array, sound: Mask) -> Mask:
    """Which candidates are of a book (M,) whose prices on the line leave something out, such as a suspended draw.

    It asks far too little for all outcomes together, and for each of them: a single wrong price leaves the others as
    they should be. Home and away at three-way prices 2.6 and 3.1 cost .71 of what a two-way market pays.
    """
    _, line, book = cells
    every = (price[:, line, book] * fair[:, line] > 1).all(axis=0)
    lacking: Mask = every & ~sound[line, book]
    return lacking


def _judge(
    cells: Cells,
    crowd: _Crowd,
    young: Mask,
    disputed: Mask,
    wrong: Mask,
    lacking: Mask,
    started: Mask,
    rules: ScoringRules,
) -> NDArray[np.int8]:
    """The verdict on each candidate (M,), of which some are `disputed`, `wrong`, or of markets that are `lacking`."""
    _, line, book = cells
    if not line.size:
        return np.empty(0, np.int8)
    thin = crowd.market.books[line] < rules.min_books
    verdict = np.full(len(line), OPEN, np.int8)
    # the last assignment wins, so the gravest reason comes last
    verdict[disputed] = DISPUTED
    verdict[thin] = THIN
    verdict[~crowd.complete[line, book]] = ONE_SIDED
    verdict[wrong] = OUTLIER
    verdict[lacking] = ONE_SIDED
    verdict[~young[line, book] | ((crowd.young[line] < rules.min_books) & ~thin)] = STALE
    verdict[started[line]] = STARTED
    return verdict
