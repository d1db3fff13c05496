"""Find middles in a set of lines: two bets at different points that can both win."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.arbitrage import NO_BOOK, BestPairs, best_pairs, find_compatible_pairs
from ml.points import fit_points
from ml.quotes import Market
from ml.scoring.confirmations import is_fresh, staleness_buckets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.quotes import Micros
    from ml.scoring.books import BookProfiles
    from ml.scoring.matrix import LineView
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]


class MiddleBet(NamedTuple):
    """A bet over the first line's point and one under the second's, each as (line, book).

    The figures are those of `ml.arbitrage.PairValues`, per unit of total stake, after commission.
    """

    over: tuple[int, int]
    under: tuple[int, int]
    stake_fractions: tuple[float, float]
    expected_value: float
    guaranteed_return: float
    best_return: float
    middle_probability: float
    break_even: float


class PricedLines(NamedTuple):
    """Two-way `lines` with their fair prices.

    `price` (2, L, B) is after commission, `over` (L,) the fair probability of the first outcome, NaN where unknown,
    from so many independent `sources` (L,); `outlying` (L, B) are the books too far from the others to count.
    """

    lines: LineView
    price: Array
    over: Array
    sources: NDArray[np.int64]
    outlying: NDArray[np.bool_]


def find_middles(
    priced: PricedLines,
    books: BookProfiles,
    point_models: Mapping[Market, PointModel],
    now: Micros,
    rules: ScoringRules,
) -> list[MiddleBet]:
    """The best pair on every event's margin and total, if it is a middle with positive expected value; best first.

    Uses fresh prices that are not outlying, on events that have not started, at books that are not known to settle
    differently. Probabilities come from the point model fitted to the fair prices at all points.
    """
    found = [
        middle
        for market in point_models
        for middle in _market_middles(priced, market, books, point_models[market], now, rules)
    ]
    return sorted(found, key=lambda middle: -middle.expected_value)


def _market_middles(
    priced: PricedLines, market: Market, books: BookProfiles, model: PointModel, now: Micros, rules: ScoringRules
) -> Iterator[MiddleBet]:
    lines, fair = priced.lines, priced.over
    trusted = (priced.sources >= rules.min_books) & ~np.isnan(fair)
    [mine] = ((lines.market == int(market)) & (lines.commence_at > now) & trusted).nonzero()
    line = _lines_by_ladder(mine, lines.ladder[mine])
    if not line.size or line.shape[1] == 1:
        return
    at = np.where(line == NO_BOOK, np.nan, lines.threshold()[line])
    weight = np.where(line == NO_BOOK, 0.0, priced.sources[line])
    fit = fit_points(model, at, np.where(line == NO_BOOK, np.nan, fair[line]), weight)
    price = np.where(
        _usable_prices(priced, now, rules)[line] & (line != NO_BOOK)[..., None], priced.price[:, line], np.nan
    )
    over, under = (side.reshape(len(line), -1) for side in price)
    thresholds = np.repeat(at, price.shape[-1], axis=1)
    pmf = model.pmf(fit.parameters)
    pairs = _best_pairs(over, under, thresholds, books, market, pmf, model.low)
    yield from _positive_middles(pairs, line, thresholds, price.shape[-1])


def _lines_by_ladder(lines: Index, ladder: Index) -> Index:
    """The lines (K, P) of each ladder, padded with `NO_BOOK`."""
    _, group = np.unique(ladder, return_inverse=True)
    order = np.argsort(group, kind="stable")
    begin = np.searchsorted(group[order], np.arange(int(group.max(initial=-1)) + 1))
    position = np.arange(len(order)) - begin[group[order]]
    table = np.full((len(begin), int(position.max(initial=-1)) + 1), NO_BOOK)
    table[group[order], position] = lines[order]
    return table


def _usable_prices(priced: PricedLines, now: Micros, rules: ScoringRules) -> NDArray[np.bool_]:
    """Which prices (L, B) are fresh and of books whose booksum is plausible and that are not outlying."""
    cost, age = priced.lines.booksum, staleness_buckets(priced.lines.confirmed_at, now, rules)
    sound = np.isnan(cost) | (cost >= rules.min_booksum)
    usable: NDArray[np.bool_] = is_fresh(age) & sound & ~priced.outlying
    return usable


def _best_pairs(
    over: Array, under: Array, at: Array, books: BookProfiles, market: Market, pmf: Array, low: int
) -> BestPairs:
    """The best pair of each ladder at books not known to settle differently; columns are points times books."""
    known = books.conflicting_rules.get(market)
    if known is None:
        return best_pairs(over, at, under, at, pmf=pmf, low=low)
    columns = list(known) * (over.shape[1] // len(known))
    return find_compatible_pairs(over, at, under, at, columns, pmf=pmf, low=low)[0]


def _positive_middles(pairs: BestPairs, line: Index, at: Array, width: int) -> Iterator[MiddleBet]:
    """The pairs that are middles and have a positive expected value."""
    found, (groups, first, second) = pairs.value, (np.arange(len(line)), pairs.over_book, pairs.under_book)
    apart = at[groups, first] < at[groups, second]
    for k in np.flatnonzero((first != NO_BOOK) & apart & (found.expected_value[:, 0] > 0)).tolist():
        (over_slot, over_book), (under_slot, under_book) = divmod(int(first[k]), width), divmod(int(second[k]), width)
        share, rest = found.stake_fraction[k, 0].tolist()
        yield MiddleBet(
            (int(line[k, over_slot]), over_book),
            (int(line[k, under_slot]), under_book),
            (share, rest),
            float(found.expected_value[k, 0]),
            float(found.guaranteed_return[k, 0]),
            float(found.best_return[k, 0]),
            float(found.middle_probability[k, 0]),
            float(found.break_even[k, 0]),
        )
