"""The arbitrages among a set of lines, and whether they are real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import Arbitrage, arbitrage, net_price, ruled_arbitrage
from ml.arbitrage.ruled import replaced
from ml.market.methods import booksum
from ml.scoring.rules import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.scoring.books import Books
    from ml.scoring.rules import ScoringRules
    from ml.scoring.valuation import LineView

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SureBets:
    """`verdict` (L,) on each line's arbitrage, and `best` bets for the lines `rows` (K,) that have one."""

    verdict: NDArray[np.int8]
    rows: NDArray[np.intp]
    best: Arbitrage


def sure_bets(lines: LineView, books: Books, young: Mask, odd: Mask, started: Mask, rules: ScoringRules) -> SureBets:
    """Arbitrages of `lines`: real, or only there by a stale price, an erroneous one, or rules that leave a hole.

    They need no crowd: two books that disagree are an arbitrage, however few others there are.
    """
    price, commission = lines.price, books.commission
    offered: Mask = np.logical_not(np.isnan(price).all(axis=0))
    rows = _cheap(price, commission, offered)
    some = np.moveaxis(price[:, rows], 0, 2)
    best, holed = _between_like(some, lines.market[rows], ~(young & ~odd)[rows], books)
    verdict = np.zeros(price.shape[1], np.int8)
    verdict[rows] = np.where(best.guaranteed_return > rules.implausible_arbitrage, Verdict.OUTLIER, Verdict.OPEN)
    unreal = np.flatnonzero(~(best.guaranteed_return > 0))
    if unreal.size:
        without = arbitrage(some[unreal], ~young[rows[unreal]], commission).guaranteed_return > 0
        anyhow = arbitrage(some[unreal], ~offered[rows[unreal]], commission).guaranteed_return > 0
        verdict[rows[unreal]] = np.where(without, Verdict.OUTLIER, np.where(anyhow, Verdict.STALE, Verdict.NOTHING))
    verdict[rows[holed]] = Verdict.RULES
    verdict[(verdict != Verdict.NOTHING) & started] = Verdict.STARTED
    return SureBets(verdict, rows, best)


def _between_like(prices: Array, market: NDArray[np.int64], hidden: Mask, books: Books) -> tuple[Arbitrage, Mask]:
    """The best bets at books that settle alike (K,), and where there are some only between others (K,)."""
    best, holed = arbitrage(prices, hidden, books.commission), np.zeros(len(prices), np.bool_)
    for name, rules in books.differing.items():
        some = np.flatnonzero(market == name)
        if some.size:
            ruled = ruled_arbitrage(prices[some], rules, excluded=hidden[some], commission=books.commission)
            best = replaced(best, some, [ruled.compatible])
            sure, anyhow = (found.guaranteed_return > 0 for found in (ruled.compatible, ruled.unrestricted))
            holed[some] = anyhow & ~sure
    return best, holed


def _cheap(price: Array, commission: Array, offered: Mask) -> NDArray[np.intp]:
    """The lines whose best prices, whosever they are, cost less than they pay: they are few."""
    if not offered.size:
        return np.empty(0, np.intp)
    best = np.fmax.reduce(net_price(price, commission) if commission.any() else price, axis=2)
    return np.flatnonzero(booksum(1 / best) < 1)
