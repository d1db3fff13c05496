"""From prices to verdicts: what every price of a set of lines is worth, and whether to say so.

Pure and row-wise: the valuation of a line depends on nothing but that line's prices, ages and start, so
that scoring only what changed gives what scoring everything would.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.sure import arbitrage
from ml.market.consensus import consensus
from ml.market.methods import booksum
from ml.market.value import confidence, edge, expected_value
from ml.quotes import UNKNOWN_TIME
from ml.scoring.rules import ScoringRules, Verdict
from ml.staking.kelly import kelly_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arbitrage.sure import Arbitrage
    from ml.market.consensus import Consensus
    from ml.quotes import Micros

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LineView:
    """The lines to value, all with the same number of outcomes n.

    `price` (L, B, n) with NaN where nothing is offered; `book_time` (L, B) and `start` (L,) in
    microseconds; `weight` (B,).
    """

    price: NDArray[np.float64]
    book_time: NDArray[np.int64]
    start: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Values and verdicts of the lines of a `LineView`, shapes (L, n), (L, B, n) or (L,) as named."""

    fair: NDArray[np.float64]
    books: NDArray[np.int64]
    method_spread: NDArray[np.float64]
    edge: NDArray[np.float64]
    expected_value: NDArray[np.float64]
    kelly_fraction: NDArray[np.float64]
    confidence: NDArray[np.float64]
    age_seconds: NDArray[np.float64]
    verdict: NDArray[np.int8]
    arbitrage: Arbitrage
    arbitrage_verdict: NDArray[np.int8]


def fresh(book_time: NDArray[np.int64], now: Micros, rules: ScoringRules) -> NDArray[np.bool_]:
    """Which confirmations are young enough to be believed; an unknown time is not."""
    return book_time >= now - int(rules.stale_after_seconds * SECOND)


def value_lines(lines: LineView, now: Micros, rules: ScoringRules) -> Valuation:
    """Value every price of `lines` at `now`."""
    absent = np.moveaxis(np.isnan(lines.price), 2, 0)
    # outcome by outcome: NumPy is slow to reduce an axis of two or three
    offered, one_sided = ~reduce(np.logical_and, absent), reduce(np.logical_or, absent)
    young = fresh(lines.book_time, now, rules) & offered
    pool, market, odd = _pool(lines, ~one_sided, young, rules)
    fair = market.probability[:, None, :]
    age = np.where(lines.book_time == UNKNOWN_TIME, np.inf, (now - lines.book_time) / SECOND)
    started = lines.start <= now

    gap = edge(fair, lines.price)
    value = expected_value(fair, lines.price)
    candidate = (np.nan_to_num(gap, nan=-1.0) >= rules.threshold_edge) & (lines.price > 1)
    verdict = np.where(candidate, Verdict.OPEN, Verdict.NOTHING).astype(np.int8)
    thin = (market.books < rules.min_books)[:, None, None]
    crowd_is_stale = ((young & pool).sum(axis=1) < rules.min_books)[:, None, None]
    # the last assignment wins, so the gravest reason comes last
    verdict[candidate & thin] = Verdict.THIN
    verdict[candidate & one_sided[:, :, None]] = Verdict.ONE_SIDED
    verdict[candidate & (odd[:, :, None] | (value > rules.implausible_value))] = Verdict.OUTLIER
    verdict[candidate & (~young[:, :, None] | (crowd_is_stale & ~thin))] = Verdict.STALE
    verdict[candidate & started[:, None, None]] = Verdict.STARTED

    _compare_methods(lines, market, pool, np.flatnonzero((verdict == Verdict.OPEN).any(axis=(1, 2))), rules)
    sound = young & ~odd
    sure = arbitrage(np.where(sound[:, :, None], lines.price, np.nan))
    withheld = np.flatnonzero((offered & ~sound).any(axis=1))
    return Valuation(
        fair=market.probability,
        books=market.books,
        method_spread=market.method_spread,
        edge=gap,
        expected_value=value,
        kelly_fraction=kelly_fraction(fair, lines.price, rules.kelly_cap),
        confidence=confidence(
            market.books[:, None, None],
            age[:, :, None],
            market.method_spread[:, None, :],
            market.dispersion[:, None, None],
        ),
        age_seconds=age,
        verdict=verdict,
        arbitrage=sure,
        arbitrage_verdict=_arbitrage_verdict(lines.price, sure, young, withheld, started, rules),
    )


def _pool(
    lines: LineView, complete: NDArray[np.bool_], young: NDArray[np.bool_], rules: ScoringRules
) -> tuple[NDArray[np.bool_], Consensus, NDArray[np.bool_]]:
    """The books that form the consensus (L, B), the consensus, and the books that are wrong (L, B).

    Wrong: far away from the others, or in conflict with itself (no book sells all outcomes below cost).

    Where too few books are fresh all of them are pooled, so that what the stale ones would have raised
    can still be counted; no alert comes of it.
    """
    counts = complete & (lines.weight > 0)
    enough = (young & counts).sum(axis=1, keepdims=True) >= rules.min_books
    pool = counts & (young | ~enough)
    weights = np.broadcast_to(lines.weight, pool.shape)
    market = consensus(np.where(pool[:, :, None], lines.price, np.nan), weights, rules.method, spread=False)
    cost = booksum(np.moveaxis(1 / lines.price, 2, 0))
    odd = (np.nan_to_num(market.deviation, nan=0.0) > rules.outlier_log_odds) | (cost < rules.least_booksum)
    pool &= ~odd
    again = np.flatnonzero(odd.any(axis=1))
    if again.size:
        prices = np.where(pool[again, :, None], lines.price[again], np.nan)
        _replace_rows(market, again, consensus(prices, weights[again], rules.method, spread=False))
    return pool, market, odd


def _compare_methods(
    lines: LineView, market: Consensus, pool: NDArray[np.bool_], rows: NDArray[np.intp], rules: ScoringRules
) -> None:
    """Work out the spread between de-vig methods where there is something to announce: only alerts tell it."""
    if rows.size:
        weights = np.broadcast_to(lines.weight, pool.shape)[rows]
        prices = np.where(pool[rows, :, None], lines.price[rows], np.nan)
        market.method_spread[rows] = consensus(prices, weights, rules.method).method_spread


def _replace_rows(market: Consensus, rows: NDArray[np.intp], by: Consensus) -> None:
    for each in fields(market):
        getattr(market, each.name)[rows] = getattr(by, each.name)


def _arbitrage_verdict(
    price: NDArray[np.float64],
    sure: Arbitrage,
    young: NDArray[np.bool_],
    withheld: NDArray[np.intp],
    started: NDArray[np.bool_],
    rules: ScoringRules,
) -> NDArray[np.int8]:
    """Verdict on each line's arbitrage (L,): real, or only there by a stale or erroneous price.

    It needs no crowd: two books that disagree are an arbitrage, however few others there are. Only the lines
    of which books are `withheld` can have a larger one with all.
    """
    verdict = np.where(sure.guaranteed_return > 0, Verdict.OPEN, Verdict.NOTHING).astype(np.int8)
    anyhow = withheld[arbitrage(price[withheld]).guaranteed_return > 0]
    with_odd = np.where(young[anyhow, :, None], price[anyhow], np.nan)
    verdict[anyhow[verdict[anyhow] == Verdict.NOTHING]] = Verdict.STALE
    odd = anyhow[arbitrage(with_odd).guaranteed_return > 0]
    verdict[odd[verdict[odd] != Verdict.OPEN]] = Verdict.OUTLIER
    verdict[sure.guaranteed_return > rules.implausible_arbitrage] = Verdict.OUTLIER
    verdict[(verdict != Verdict.NOTHING) & started] = Verdict.STARTED
    return verdict
