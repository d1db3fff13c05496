"""Find the arbitrages in a set of lines, and check whether they are real."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import Arbitrage, find_arbitrage, find_compatible_arbitrage, net_price
from ml.arbitrage.compatible import replace_with_best
from ml.market.methods import booksum
from ml.market.pooling import books_axis_first
from ml.scoring.rules import NO_CANDIDATE, ONE_BOOK, OPEN, OUTLIER, RULES, STALE, STARTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.scoring.books import BookProfiles
    from ml.scoring.matrix import LineView
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Arbitrages:
    """The `verdict` (L,) on each line's arbitrage, and the `best` bets on the lines `rows` (K,) that have one."""

    verdict: NDArray[np.int8]
    rows: NDArray[np.intp]
    best: Arbitrage


def find_arbitrages(
    lines: LineView, books: BookProfiles, usable: Mask, fresh: Mask, started: Mask, rules: ScoringRules
) -> Arbitrages:
    """The arbitrages of `lines`, each with the verdict whether it is real.

    It is not if it needs a stale or erroneous price, exists at one book only, or the books' settlement rules leave a
    gap. `usable` prices (L, B) are fresh and not outlying. No consensus is needed: two books that disagree are enough.
    """
    rows = _profitable_rows(lines.price, books.commission)
    verdict = np.zeros(lines.price.shape[1], np.int8)
    if not rows.size:
        return Arbitrages(verdict, rows, _empty_arbitrage(len(lines.price)))
    some = lines.price[:, rows].transpose(1, 2, 0)
    best, rule_conflict = _with_compatible_rules(some, lines.market[rows], ~usable[rows], books)
    best, alone = _with_several_books(best, some, lines.market[rows], ~usable[rows], books)
    found = np.where(best.guaranteed_return > rules.max_arbitrage_return, OUTLIER, OPEN)
    [unreal] = (~(best.guaranteed_return > 0)).nonzero()
    if unreal.size:
        found[unreal] = _suppression_verdicts(some[unreal], fresh[rows[unreal]], books.commission)
    found[alone] = ONE_BOOK
    found[rule_conflict] = RULES
    found[(found != NO_CANDIDATE) & started[rows]] = STARTED
    verdict[rows] = found
    return Arbitrages(verdict, rows, best)


@cache
def _empty_arbitrage(outcomes: int) -> Arbitrage:
    return find_arbitrage(np.empty((0, 1, outcomes)))


def _suppression_verdicts(prices: Array, fresh: Mask, commission: Array) -> NDArray[np.intp]:
    """Why lines (K, B, n) have no usable arbitrage: it needs an outlying price or a stale one, or there is none."""
    without = find_arbitrage(prices, ~fresh, commission).guaranteed_return > 0
    if without.all():
        return np.full(len(prices), OUTLIER)
    with_stale = find_arbitrage(prices, None, commission).guaranteed_return > 0
    return np.where(without, OUTLIER, np.where(with_stale, STALE, NO_CANDIDATE))


def _with_compatible_rules(
    prices: Array, market: NDArray[np.int64], hidden: Mask, books: BookProfiles
) -> tuple[Arbitrage, Mask]:
    """The best bets (K,) at books that settle alike, and the lines (K,) where only books that do not can profit."""
    best, rule_conflict = find_arbitrage(prices, hidden, books.commission), np.zeros(len(prices), np.bool_)
    for name, rules in books.conflicting_rules.items():
        [some] = (market == int(name)).nonzero()
        if some.size:
            searched = find_compatible_arbitrage(
                prices[some], rules, excluded=hidden[some], commission=books.commission
            )
            best = replace_with_best(best, some, [searched.compatible])
            profitable, profitable_anywhere = (
                found.guaranteed_return > 0 for found in (searched.compatible, searched.unrestricted)
            )
            rule_conflict[some] = profitable_anywhere & ~profitable
    return best, rule_conflict


def _with_several_books(
    best: Arbitrage, prices: Array, market: NDArray[np.int64], hidden: Mask, books: BookProfiles
) -> tuple[Arbitrage, Mask]:
    """The best bets (K,), preferring several books; and the lines (K,) where only one book or its clones can profit.

    A book that sells every outcome for less than it pays has mispriced one of them. An arbitrage that the other books
    offer without it takes precedence.
    """
    source = np.append(books.clone_group, -1)[best.book]
    alone = (best.guaranteed_return > 0) & (source == source[:, :1]).all(axis=1)
    [some] = alone.nonzero()
    if some.size:
        without = hidden[some] | (books.clone_group == source[some, :1])
        others, _ = _with_compatible_rules(prices[some], market[some], without, books)
        won = others.guaranteed_return > 0
        best = replace_with_best(best, some[won], [others.take(won)])
        alone[some[won]] = False
    return best, alone


def _profitable_rows(price: Array, commission: Array) -> NDArray[np.intp]:
    """The few lines whose best prices over all books have a booksum below 1."""
    if not price.size:
        return np.empty(0, np.intp)
    net = net_price(price, commission) if commission.any() else price
    best = np.fmax.reduce(books_axis_first(net))
    [rows] = (booksum(1 / best) < 1).nonzero()
    return rows
