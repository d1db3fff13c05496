"""Pairs of bets on different points of one margin or total, where both win or both lose in between.

Bets are thresholds of one number X, as in `ml.points`: over t wins where X > t, under t where X < t, a whole t pushes
on itself, a quarter is two half stakes. For spreads X is the home margin: home h is over -h, away a is under a.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage.best_price import NO_BOOK, ROUNDING_TOLERANCE
from ml.points import win_push_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NUMBERS_AROUND_THRESHOLD = 2
"""Numbers evaluated on either side of a threshold; further out the profit of a bet is constant."""
PAIR_BATCH_SIZE = 60_000
"""Pairs valued at once, so that the temporary arrays stay in the CPU cache."""


class PairKind(IntEnum):
    """The kind of a pair of over and under: by their points, and `ARBITRAGE` by the worst case."""

    UNPRICED = -1
    """A price or a point is missing or invalid."""
    HOLE = 0
    """Both can lose: over 47.5 with under 44.5, a "polish" pair. No arbitrage, however far the booksum is below 1."""
    SAME_POINT = 1
    """An ordinary two-way market, at a loss in the worst case."""
    MIDDLE = 2
    """Both can win, or one wins while the other pushes; outside the middle the pair loses."""
    ARBITRAGE = 3
    """No outcome loses and at least one wins; there may be a middle as well."""


@dataclass(frozen=True, slots=True, eq=False)
class PairValues:
    """Pairs of an over and an under, in the shape the arguments broadcast to; NaN where a price is missing.

    `kind` is int8 of `PairKind`. `stake_fraction` (..., 2) of over and under makes both pay the same. Per unit of total
    stake: `expected_value` the expected profit, `guaranteed_return` the profit in the worst case, `best_return` in the
    best. `middle_probability` that both win, wholly or in part, or one does while the other pushes; `hole_probability`
    the same for losing. `break_even` is the probability of the middle at which the expected value would be zero, if the
    middle always paid `best_return` and everything else the worst case.
    """

    kind: NDArray[np.int8]
    stake_fraction: Array
    expected_value: Array
    guaranteed_return: Array
    best_return: Array
    middle_probability: Array
    hole_probability: Array
    break_even: Array


@dataclass(frozen=True, slots=True, eq=False)
class BestPairs:
    """The best pair of each of L lines: columns `over_book` and `under_book` (L,), and its `value` (L, 1).

    The columns are `NO_BOOK` where there is none; `value.kind` is `UNPRICED` there.
    """

    over_book: NDArray[np.intp]
    under_book: NDArray[np.intp]
    value: PairValues


def value_pairs(
    over: Array, over_threshold: Array, under: Array, under_threshold: Array, *, pmf: Array, low: int
) -> PairValues:
    """Value pairs (L, M) of net decimal prices `over` and `under` at `over_threshold` and `under_threshold`.

    `pmf` (L, K) are the probabilities of X = low, low + 1, ... . Stakes are in proportion to 1 / price.
    EV = sum over both bets of share x (win x (price - 1) - loss), with win and loss from `ml.points.win_push_loss`;
    pushes are returned.
    """
    over, over_threshold, under, under_threshold = np.broadcast_arrays(over, over_threshold, under, under_threshold)
    over, under = _valid_price(over, over_threshold), _valid_price(under, under_threshold)
    share = under / (over + under)
    above, below = win_push_loss(pmf, low, over_threshold), win_push_loss(pmf, low, under_threshold).other_side()
    expected = share * above.expected_value(over) + (1 - share) * below.expected_value(under)
    worst, best = _extreme_profits(share, over, over_threshold, under, under_threshold)
    with np.errstate(invalid="ignore", divide="ignore"):
        needed = np.where(worst < 0, -worst / (best - worst), 0.0)
    return PairValues(
        kind=_classify_pairs(over_threshold, under_threshold, worst, best),
        stake_fraction=np.stack([share, 1 - share], axis=-1),
        expected_value=expected,
        guaranteed_return=worst,
        best_return=best,
        middle_probability=_probability_between(pmf, low, over_threshold, under_threshold),
        hole_probability=_probability_between(pmf, low, under_threshold, over_threshold),
        break_even=np.where(np.isnan(worst), np.nan, needed),
    )


def best_pairs(
    over: Array, over_threshold: Array, under: Array, under_threshold: Array, *, pmf: Array, low: int
) -> BestPairs:
    """The pair of over and under at B books, all (L, B), with the highest expected value on each of L lines.

    Pairs with a hole are left out. Only bets that no other on their side beats in price and point are paired; as long
    as no number is likelier than 1/2, the best pair is among them. A pair's value is linear in the two bets': (EV(over)
    / o + EV(under) / u) / (1 / o + 1 / u) for prices o and u.
    """
    if not over.shape[1]:
        none = np.full((len(over), 1), np.nan)
        return best_pairs(none, none, none, none, pmf=pmf, low=low)
    firsts, seconds = (
        _pareto_front(_valid_price(over, over_threshold), over_threshold),
        _pareto_front(_valid_price(under, under_threshold), -under_threshold),
    )
    o, t, u, s = (
        _take_columns(*column)
        for column in ((over, firsts), (over_threshold, firsts), (under, seconds), (under_threshold, seconds))
    )
    above = win_push_loss(pmf, low, t).expected_value(o) / o
    below = win_push_loss(pmf, low, s).other_side().expected_value(u) / u
    first, second = _argmax_pairs((1 / o, t, above), (1 / u, s, below))
    value = value_pairs(
        *(_take_columns(c, i) for c, i in ((o, first), (t, first), (u, second), (s, second))), pmf=pmf, low=low
    )
    found = value.kind[:, 0] != PairKind.UNPRICED
    books = (np.take_along_axis(*picked, axis=1)[:, 0] for picked in ((firsts, first), (seconds, second)))
    over_book, under_book = (np.where(found, book, NO_BOOK) for book in books)
    return BestPairs(over_book, under_book, value)


def _valid_price(price: Array, threshold: Array) -> Array:
    return np.where((price > 1) & np.isfinite(price) & np.isfinite(threshold), price, np.nan)


def _pareto_front(price: Array, threshold: Array) -> NDArray[np.intp]:
    """Columns (L, F) of the bets that no other beats by a higher price at no higher a threshold, padded with -1."""
    order = np.argsort(-price, axis=1)  # NaN comes last
    at = np.where(np.isnan(np.take_along_axis(price, order, axis=1)), np.inf, np.take_along_axis(threshold, order, 1))
    lowest = np.minimum.accumulate(at, axis=1)
    kept = at < np.concatenate([np.full_like(lowest[:, :1], np.inf), lowest[:, :-1]], axis=1)
    slot = kept.cumsum(axis=1) - 1
    front = np.full((len(price), max(1, int(slot.max(initial=0)) + 1)), NO_BOOK)
    line, column = np.nonzero(kept)
    front[line, slot[line, column]] = order[line, column]
    return front


def _take_columns(values: Array, columns: NDArray[np.intp]) -> Array:
    return np.where(columns == NO_BOOK, np.nan, np.take_along_axis(values, np.maximum(columns, 0), axis=1))


def _argmax_pairs(over: tuple[Array, ...], under: tuple[Array, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns (L, 1) of the best over and under, each given as (1 / price, threshold, value / price), or `NO_BOOK`."""
    size = over[0].shape[1] * under[0].shape[1]
    step = max(1, PAIR_BATCH_SIZE // size)
    best = np.full((len(over[0]), 1), NO_BOOK)
    for at in range(0, len(best), step):
        p, t, a = (column[at : at + step, :, None] for column in over)
        q, s, b = (column[at : at + step, None, :] for column in under)
        value = np.where(t <= s, (a + b) / (p + q), np.nan).reshape(-1, size)
        value[np.isnan(value)] = -np.inf
        index = value.argmax(axis=1)[:, None]
        best[at : at + step] = np.where(np.take_along_axis(value, index, axis=1) > -np.inf, index, NO_BOOK)
    first, second = np.divmod(best, under[0].shape[1])
    return np.where(best == NO_BOOK, NO_BOOK, first), np.where(best == NO_BOOK, NO_BOOK, second)


def won_and_lost_shares(number: Array, threshold: Array) -> tuple[Array, Array]:
    """Shares of an over's stake that win and that lose if X = `number`: 0, 1/2 (a quarter point) or 1; broadcast."""
    quarter = np.where(np.mod(threshold * 4, 2) == 1, 0.25, 0.0)
    parts = (threshold - quarter, threshold + quarter)
    win, loss = (sum(0.5 * compare(number, part) for part in parts) for compare in (np.greater, np.less))
    return np.asarray(win), np.asarray(loss)


def _extreme_profits(
    share: Array, over: Array, over_threshold: Array, under: Array, under_threshold: Array
) -> tuple[Array, Array]:
    """The worst and the best profit over every whole X; those around both thresholds are enough."""
    worst, best = np.full(share.shape, np.inf), np.full(share.shape, -np.inf)
    for threshold in (over_threshold, under_threshold):
        for step in range(-NUMBERS_AROUND_THRESHOLD, NUMBERS_AROUND_THRESHOLD + 1):
            number = np.floor(threshold) + step
            above, not_above = won_and_lost_shares(number, over_threshold)
            not_below, below = won_and_lost_shares(number, under_threshold)
            profit = share * (above * (over - 1) - not_above) + (1 - share) * (below * (under - 1) - not_below)
            worst, best = np.minimum(worst, profit), np.maximum(best, profit)
    return np.where(np.abs(worst) < ROUNDING_TOLERANCE, 0.0, worst), best


def _classify_pairs(over_threshold: Array, under_threshold: Array, worst: Array, best: Array) -> NDArray[np.int8]:
    kind = np.where(over_threshold < under_threshold, PairKind.MIDDLE, PairKind.SAME_POINT)
    kind = np.where(over_threshold > under_threshold, PairKind.HOLE, kind)
    kind = np.where((worst >= 0) & (best > ROUNDING_TOLERANCE), PairKind.ARBITRAGE, kind)
    return np.where(np.isnan(worst), PairKind.UNPRICED, kind).astype(np.int8)


def _probability_between(pmf: Array, low: int, lower: Array, upper: Array) -> Array:
    """Probability (L, M) that X lies from `lower` to `upper`, both included; 0 where they are the same point."""
    first, last = np.maximum(np.ceil(lower), low), np.floor(upper)
    within = win_push_loss(pmf, low, first - 0.5).win - win_push_loss(pmf, low, last + 0.5).win
    return np.where(lower < upper, np.maximum(within, 0.0), np.where(np.isnan(lower + upper), np.nan, 0.0))
