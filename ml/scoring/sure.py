"""The arbitrages among a set of lines, and whether they are real."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import Arbitrage, arbitrage, net_price, ruled_arbitrage
from ml.arbitrage.ruled import replaced
from ml.market.methods import booksum
from ml.market.pooling import books_first
from ml.scoring.rules import NOTHING, ONE_BOOK, OPEN, OUTLIER, RULES, STALE, STARTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.scoring.books import Books
    from ml.scoring.rules import ScoringRules
    from ml.scoring.view import LineView

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SureBets:
    """`verdict` (L,) on each line's arbitrage, and `best` bets for the lines `rows` (K,) that have one."""

    verdict: NDArray[np.int8]
    rows: NDArray[np.intp]
    best: Arbitrage


def sure_bets(lines: LineView, books: Books, usable: Mask, young: Mask, started: Mask, rules: ScoringRules) -> SureBets:
    """Arbitrages of `lines`: real, or only there by a stale price, an erroneous one, one book alone, or rules that
    leave a hole.

    They are made of `usable` prices (L, B): young ones that are not odd. They need no crowd: two books that disagree
    are an arbitrage, however few others there are.
    """
    rows = _cheap(lines.price, books.commission)
    verdict = np.zeros(lines.price.shape[1], np.int8)
    if not rows.size:
        return SureBets(verdict, rows, _no_bets(len(lines.price)))
    some = lines.price[:, rows].transpose(1, 2, 0)
    best, holed = _between_like(some, lines.market[rows], ~usable[rows], books)
    best, alone = _between_books(best, some, lines.market[rows], ~usable[rows], books)
    found = np.where(best.guaranteed_return > rules.implausible_arbitrage, OUTLIER, OPEN)
    [unreal] = (~(best.guaranteed_return > 0)).nonzero()
    if unreal.size:
        found[unreal] = _withheld(some[unreal], young[rows[unreal]], books.commission)
    found[alone] = ONE_BOOK
    found[holed] = RULES
    found[(found != NOTHING) & started[rows]] = STARTED
    verdict[rows] = found
    return SureBets(verdict, rows, best)


@cache
def _no_bets(outcomes: int) -> Arbitrage:
    return arbitrage(np.empty((0, 1, outcomes)))


def _withheld(prices: Array, young: Mask, commission: Array) -> NDArray[np.intp]:
    """Why the usable prices of lines (K, B, n) are no arbitrage: odd ones make it, or stale ones, or nothing does."""
    without = arbitrage(prices, ~young, commission).guaranteed_return > 0
    if without.all():
        return np.full(len(prices), OUTLIER)
    anyhow = arbitrage(prices, None, commission).guaranteed_return > 0
    return np.where(without, OUTLIER, np.where(anyhow, STALE, NOTHING))


def _between_like(prices: Array, market: NDArray[np.int64], hidden: Mask, books: Books) -> tuple[Arbitrage, Mask]:
    """The best bets at books that settle alike (K,), and where there are some only between others (K,)."""
    best, holed = arbitrage(prices, hidden, books.commission), np.zeros(len(prices), np.bool_)
    for name, rules in books.differing.items():
        [some] = (market == int(name)).nonzero()
        if some.size:
            ruled = ruled_arbitrage(prices[some], rules, excluded=hidden[some], commission=books.commission)
            best = replaced(best, some, [ruled.compatible])
            sure, anyhow = (found.guaranteed_return > 0 for found in (ruled.compatible, ruled.unrestricted))
            holed[some] = anyhow & ~sure
    return best, holed


def _between_books(
    best: Arbitrage, prices: Array, market: NDArray[np.int64], hidden: Mask, books: Books
) -> tuple[Arbitrage, Mask]:
    """The best bets (K,), of those at one book or its copies only where no others win; and where that is so (K,).

    A book that sells every outcome for less than it pays has made a mistake in one of them. What others still offer
    without it is told instead.
    """
    source = np.append(books.source, -1)[best.book]
    alone = (best.guaranteed_return > 0) & (source == source[:, :1]).all(axis=1)
    [some] = alone.nonzero()
    if some.size:
        without = hidden[some] | (books.source == source[some, :1])
        others, _ = _between_like(prices[some], market[some], without, books)
        won = others.guaranteed_return > 0
        best = replaced(best, some[won], [others.take(won)])
        alone[some[won]] = False
    return best, alone


def _cheap(price: Array, commission: Array) -> NDArray[np.intp]:
    """The lines whose best prices, whosever they are, cost less than they pay: they are few."""
    if not price.size:
        return np.empty(0, np.intp)
    net = net_price(price, commission) if commission.any() else price
    best = np.fmax.reduce(books_first(net))
    [rows] = (booksum(1 / best) < 1).nonzero()
    return rows
