"""Bets near -110 (decimal 1.909), pooled over markets: the win rate and what the fair close implies.

The threshold of the model's probability is chosen on earlier seasons, by what the close implied there; results, which
are mostly noise, take no part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.training.scores import clustered_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import TrainingSet

    Array = NDArray[np.float64]

PRICE_RANGE = (1.87, 1.96)
MIN_IMPLIED_WIN_SHARE = 0.545
MIN_BETS = 200
"""Fewer bets do not fix a threshold."""


class EvenBets(NamedTuple):
    """Possible bets (M,): the model's probability, the fair close's, the result (NaN if none), price and day."""

    probability: Array
    close: Array
    won: Array
    price: Array
    date: NDArray[np.int64]


def collect_even_bets(sets: Sequence[tuple[TrainingSet, Array]]) -> EvenBets:
    """What could be bet near -110 on lines, each set with a model's probabilities (N, n) of them."""
    parts = []
    for lines, probability in sets:
        low, high = PRICE_RANGE
        with np.errstate(invalid="ignore"):
            at = np.nonzero((lines.price >= low) & (lines.price <= high) & ~np.isnan(probability))
        parts.append((probability[at], lines.close[at], lines.won[at], lines.price[at], lines.date[at[0]]))
    if not parts:
        nothing = np.empty(0)
        return EvenBets(nothing, nothing, nothing, nothing, np.empty(0, np.int64))
    return EvenBets(*map(np.concatenate, zip(*parts, strict=True)))


def choose_threshold(bets: EvenBets, target: float = MIN_IMPLIED_WIN_SHARE) -> float | None:
    """The lowest probability above which the close implied a win share of `target`; None if none of `MIN_BETS` did."""
    known = ~np.isnan(bets.close)
    order = np.argsort(-bets.probability[known], kind="stable")
    probability, close = bets.probability[known][order], bets.close[known][order]
    share = close.cumsum() / np.arange(1, len(close) + 1)
    reached = np.flatnonzero((share >= target) & (np.arange(1, len(close) + 1) >= MIN_BETS))
    return float(probability[reached[-1]]) if reached.size else None


def judge_even_bets(bets: EvenBets, threshold: float) -> dict[str, Any]:
    """The bets above `threshold`: how many won, and what the close implied of the same bets."""
    chosen = bets.probability >= threshold
    won, close, price = (values[chosen] for values in (bets.won, bets.close, bets.price))
    date = bets.date[chosen]
    return {
        "threshold": threshold,
        "bets": int(chosen.sum()),
        "settled": int((~np.isnan(won)).sum()),
        "won": clustered_mean(won, date).as_json(),
        "implied_by_close": clustered_mean(close, date).as_json(),
        "yield": clustered_mean(won * price - 1, date).as_json(),
    }
