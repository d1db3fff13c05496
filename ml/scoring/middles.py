"""The middles of a set of lines: two bets at different points that can both win."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.arbitrage import NO_BOOK, BestPairs, best_pairs, ruled_pairs
from ml.points import fit_points
from ml.quotes import Market
from ml.scoring.ages import age_steps, young_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.quotes import Micros
    from ml.scoring.books import Books
    from ml.scoring.rules import ScoringRules
    from ml.scoring.valuation import Valuation

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]


class Middle(NamedTuple):
    """A bet on more than the first line's point and one on less than the second's, each as (line, book).

    The numbers are those of `ml.arbitrage.Pair`, per unit of total stake, after commission.
    """

    over: tuple[int, int]
    under: tuple[int, int]
    stake_fractions: tuple[float, float]
    expected_value: float
    guaranteed_return: float
    best_return: float
    middle_probability: float
    break_even: float


def middles(
    value: Valuation, books: Books, models: Mapping[Market, PointModel], now: Micros, rules: ScoringRules
) -> list[Middle]:
    """The best pair of every event's margin and total where it is a middle worth more than nothing, the best first.

    Of young prices that no consensus calls odd, on events that have not started, between books that are not known to
    settle differently. The numbers between are as likely as the model says that fits the consensus at all points.
    """
    found = [middle for market in models for middle in _of_market(value, market, books, models[market], now, rules)]
    return sorted(found, key=lambda middle: -middle.expected_value)


def _of_market(
    value: Valuation, market: Market, books: Books, model: PointModel, now: Micros, rules: ScoringRules
) -> Iterator[Middle]:
    lines = value.lines
    fair = value.market.probability[0]
    trusted = (value.market.books >= rules.min_books) & ~np.isnan(fair)
    [mine] = ((lines.market == int(market)) & (lines.start > now) & trusted).nonzero()
    line = _by_ladder(mine, lines.ladder[mine])
    if not line.size or line.shape[1] == 1:
        return
    at = np.where(line == NO_BOOK, np.nan, lines.threshold()[line])
    weight = np.where(line == NO_BOOK, 0.0, value.market.books[line])
    fit = fit_points(model, at, np.where(line == NO_BOOK, np.nan, fair[line]), weight)
    price = np.where(_usable(value, now, rules)[line] & (line != NO_BOOK)[..., None], value.price[:, line], np.nan)
    over, under = (side.reshape(len(line), -1) for side in price)
    thresholds = np.repeat(at, price.shape[-1], axis=1)
    cells = model.probabilities(fit.parameters)
    pairs = _paired(over, under, thresholds, books, market, cells, model.low)
    yield from _told(pairs, line, thresholds, price.shape[-1])


def _by_ladder(lines: Index, ladder: Index) -> Index:
    """The lines (K, P) of each ladder, filled up with `NO_BOOK`."""
    _, rung = np.unique(ladder, return_inverse=True)
    order = np.argsort(rung, kind="stable")
    begin = np.searchsorted(rung[order], np.arange(int(rung.max(initial=-1)) + 1))
    slot = np.arange(len(order)) - begin[rung[order]]
    table = np.full((len(begin), int(slot.max(initial=-1)) + 1), NO_BOOK)
    table[rung[order], slot] = lines[order]
    return table


def _usable(value: Valuation, now: Micros, rules: ScoringRules) -> NDArray[np.bool_]:
    """Prices (L, B) that are young, and of books in no conflict with themselves or with the others."""
    cost = value.lines.cost
    sound = np.isnan(cost) | (cost >= rules.least_booksum)
    usable: NDArray[np.bool_] = young_steps(age_steps(value.lines.book_time, now, rules)) & sound & ~value.market.far
    return usable


def _paired(over: Array, under: Array, at: Array, books: Books, market: Market, cells: Array, low: int) -> BestPairs:
    """The best pair of each ladder, of books that are not known to settle differently; columns by point and book."""
    known = books.differing.get(market)
    if known is None:
        return best_pairs(over, at, under, at, cells=cells, low=low)
    columns = list(known) * (over.shape[1] // len(known))
    return ruled_pairs(over, at, under, at, columns, cells=cells, low=low)[0]


def _told(pairs: BestPairs, line: Index, at: Array, width: int) -> Iterator[Middle]:
    """Those of the pairs that are middles and worth more than nothing."""
    found, (ladders, first, second) = pairs.value, (np.arange(len(line)), pairs.over_book, pairs.under_book)
    apart = at[ladders, first] < at[ladders, second]
    for k in np.flatnonzero((first != NO_BOOK) & apart & (found.expected_value[:, 0] > 0)).tolist():
        (over_slot, over_book), (under_slot, under_book) = divmod(int(first[k]), width), divmod(int(second[k]), width)
        share, rest = found.stake_fraction[k, 0].tolist()
        yield Middle(
            (int(line[k, over_slot]), over_book),
            (int(line[k, under_slot]), under_book),
            (share, rest),
            float(found.expected_value[k, 0]),
            float(found.guaranteed_return[k, 0]),
            float(found.best_return[k, 0]),
            float(found.middle_probability[k, 0]),
            float(found.break_even[k, 0]),
        )
