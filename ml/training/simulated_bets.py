"""Bets that a fair probability would have made at the best price on offer, judged by the close and by results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.training.scores import Interval, clustered_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MIN_EXPECTED_VALUE = 0.02


class SimulatedBets(NamedTuple):
    """Bets (M,) of one unit: row and outcome, claimed expected value, closing line value, profit.

    `clv` is price x fair closing probability - 1, NaN without a close; `profit` per unit at risk, NaN if unsettled.
    """

    row: NDArray[np.intp]
    outcome: NDArray[np.intp]
    expected_value: Array
    clv: Array
    profit: Array
    date: NDArray[np.int64]


class BetSummary(NamedTuple):
    """The figures of bets, with intervals clustered by date."""

    bets: int
    expected_value: float
    clv: Interval
    profit: Interval

    def as_json(self) -> dict[str, object]:
        """As JSON; rates are fractions of the stake."""
        claimed = None if np.isnan(self.expected_value) else self.expected_value
        return {
            "bets": self.bets,
            "claimed_ev": claimed,
            "clv": self.clv.as_json(),
            "yield": self.profit.as_json(),
        }


class BetTable(NamedTuple):
    """Everything that could be bet on, by line (N,) and outcome (N, n): see `TrainingSet`."""

    price: Array
    close: Array
    won: Array
    at_risk: Array
    date: NDArray[np.int64]

    def make_bets(self, fair: Array, chosen: NDArray[np.bool_]) -> SimulatedBets:
        """Bets on the `chosen` (N, n), by their `fair` probability (N, n)."""
        row, outcome = np.nonzero(chosen)
        at, price = (row, outcome), self.price[row, outcome]
        profit = self.at_risk[row] * (self.won[at] * price - 1)
        return SimulatedBets(row, outcome, fair[at] * price - 1, self.close[at] * price - 1, profit, self.date[row])

    def value_bets(self, fair: Array, minimum: float = MIN_EXPECTED_VALUE) -> SimulatedBets:
        """Bets wherever the expected value exceeds `minimum`."""
        with np.errstate(invalid="ignore"):
            return self.make_bets(fair, fair * self.price - 1 > minimum)

    def best_bets(self, fair: Array, count: int) -> SimulatedBets:
        """The `count` bets of highest expected value; of equals, the earlier rows'."""
        value = np.where(np.isnan(fair * self.price), -np.inf, fair * self.price).ravel()
        best = np.argsort(-value, kind="stable")[:count]
        chosen = np.zeros(value.shape, np.bool_)
        chosen[best[value[best] > -np.inf]] = True
        return self.make_bets(fair, chosen.reshape(fair.shape))


def stack_outcomes(parts: Sequence[Array]) -> Array:
    """Rows of markets with different numbers of outcomes, (N, n) each, below one another; NaN where there is none."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan) for part in parts]
    )


def stack_tables(tables: Sequence[BetTable]) -> BetTable:
    """What could be bet on in several markets."""
    prices, closes, won, at_risk, dates = zip(*tables, strict=True)
    price, close, results = (stack_outcomes(columns) for columns in (prices, closes, won))
    return BetTable(price, close, results, np.concatenate(at_risk), np.concatenate(dates))


def summarise(bets: SimulatedBets) -> BetSummary:
    """The figures of `bets`."""
    claimed = float(bets.expected_value.mean()) if len(bets.row) else np.nan
    return BetSummary(
        len(bets.row), claimed, clustered_mean(bets.clv, bets.date), clustered_mean(bets.profit, bets.date)
    )


def clv_difference(ours: SimulatedBets, theirs: SimulatedBets) -> Interval:
    """Mean closing line value of `ours` minus that of `theirs`, with an interval clustered by date.

    Both means vary together by date: the influence of each bet on the difference is summed by date (delta method).
    """
    values, dates = [], []
    means = []
    for sign, bets in ((1.0, ours), (-1.0, theirs)):
        known = ~np.isnan(bets.clv)
        if not known.any():
            return Interval(np.nan, np.nan, np.nan)
        mean = float(bets.clv[known].mean())
        means.append(sign * mean)
        values.append(sign * (bets.clv[known] - mean) / known.sum())
        dates.append(bets.date[known])
    influence, date = np.concatenate(values), np.concatenate(dates)
    spread = clustered_mean(influence * len(influence), date)
    return Interval(sum(means), sum(means) + spread.low, sum(means) + spread.high)
