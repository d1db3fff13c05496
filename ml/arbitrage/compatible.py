"""Arbitrages and middles between books whose settlement rules agree."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import NO_BOOK, Arbitrage, find_arbitrage
from ml.arbitrage.middles import BestPairs, PairValues, best_pairs
from ml.settlement.rules import Conflict, compatible_groups, conflict_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.settlement.rules import Rules

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CompatibleArbitrage:
    """The best bets on L lines, with and without regard to settlement rules.

    `compatible` uses books whose conflicts are all tolerated, `unrestricted` any book; `conflict` (L,) are the
    `Conflict` flags between the legs of `unrestricted`, tolerated ones included.
    """

    compatible: Arbitrage
    unrestricted: Arbitrage
    conflict: NDArray[np.int16]


def find_compatible_arbitrage(
    prices: Array,
    rules: Sequence[Rules],
    *,
    tolerated: Conflict = Conflict.UNKNOWN,
    excluded: Mask | None = None,
    commission: Array | None = None,
) -> CompatibleArbitrage:
    """`find_arbitrage` at `prices` (L, B, n) between books with compatible `rules` (B).

    Lines whose best bets conflict are searched again, in each of the `compatible_groups`.
    """
    best, table = find_arbitrage(prices, excluded, commission), conflict_matrix(rules)
    found = _leg_conflicts(best.book, table)
    lines = np.flatnonzero(found & ~np.int16(tolerated))
    if not len(lines):
        return CompatibleArbitrage(best, best, found)
    none = np.zeros((len(prices), len(rules)), np.bool_)
    hidden = none if excluded is None else none | excluded
    charge = None if commission is None else np.broadcast_to(commission, none.shape)[lines]
    by_group = [
        find_arbitrage(prices[lines], hidden[lines] | ~group, charge)
        for group in compatible_groups(table, rules, tolerated)
    ]
    return CompatibleArbitrage(replace_with_best(best, lines, by_group), best, found)


def _leg_conflicts(book: NDArray[np.intp], table: NDArray[np.int16]) -> NDArray[np.int16]:
    found = np.zeros(len(book), np.int16)
    for i in range(book.shape[1]):
        for j in range(i):
            both = (book[:, i] != NO_BOOK) & (book[:, j] != NO_BOOK)
            found[both] |= table[book[both, i], book[both, j]]
    return found


def replace_with_best(best: Arbitrage, lines: NDArray[np.intp], by_group: Sequence[Arbitrage]) -> Arbitrage:
    """`best` with `lines` replaced by the arbitrage `by_group` that returns most on each."""
    returns = np.nan_to_num(np.stack([group.guaranteed_return for group in by_group]), nan=-np.inf)
    winner = returns.argmax(axis=0)
    columns = {}
    for field in fields(Arbitrage):
        columns[field.name] = getattr(best, field.name).copy()
        columns[field.name][lines] = np.stack([getattr(g, field.name) for g in by_group])[winner, np.arange(len(lines))]
    return Arbitrage(**columns)


def find_compatible_pairs(
    over: Array,
    over_threshold: Array,
    under: Array,
    under_threshold: Array,
    rules: Sequence[Rules],
    *,
    pmf: Array,
    low: int,
    tolerated: Conflict = Conflict.UNKNOWN,
) -> tuple[BestPairs, NDArray[np.int16]]:
    """`best_pairs` between books with compatible `rules` (B), and the conflicts (L,) of the best pairs of any books.

    The conflicts are `Conflict` flags, tolerated ones included; 0 where there is no pair.
    """
    table = conflict_matrix(rules)
    unrestricted = best_pairs(over, over_threshold, under, under_threshold, pmf=pmf, low=low)
    found = _leg_conflicts(np.stack([unrestricted.over_book, unrestricted.under_book], axis=1), table)
    if not (found & ~np.int16(tolerated)).any():
        return unrestricted, found
    by_group = [
        best_pairs(
            *(np.where(group, column, np.nan) for column in (over, over_threshold, under, under_threshold)),
            pmf=pmf,
            low=low,
        )
        for group in compatible_groups(table, rules, tolerated)
    ]
    values = np.stack([group.value.expected_value[:, 0] for group in by_group])
    winner = np.where(np.isnan(values), -np.inf, values).argmax(axis=0)
    line = np.arange(len(over))
    first, second = (
        np.stack([getattr(group, name) for group in by_group])[winner, line] for name in ("over_book", "under_book")
    )
    columns = (
        np.stack([getattr(group.value, field.name) for group in by_group])[winner, line] for field in fields(PairValues)
    )
    return BestPairs(first, second, PairValues(*columns)), found
