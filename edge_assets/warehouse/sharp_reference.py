"""Backtest: bet where a sharp book's fair price shows an edge. Claimed EV, profit, and value against the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.market import devig, expected_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge_assets.store.analytics.reference_prices import ReferencePrices
    from ml.market import DevigMethod

EV_THRESHOLDS = (0.0, 0.02, 0.05)
ALL_PRICES_NOTE = """\
"All" includes quarantined prices: those far above all others, and maxima above every recorded book. They are few,
but they are what the rule selects, and whether anyone could have bet at them is not recorded."""
BEST_PRICE_NOTE = """\
"Best" is over the individually recorded books; the recorded maximum is over all books of its collector. With fewer
books there are fewer extreme prices: fewer bets, and blind betting costs more."""
COMPARISON_NOTES = tuple(" ".join(text.split()) for text in (ALL_PRICES_NOTE, BEST_PRICE_NOTE))


class BettingPrice(NamedTuple):
    """The price bet at: an aggregate's kind (max, avg), or `best` of the books; with or without quarantined prices."""

    price: str
    with_quarantined: bool

    def __str__(self) -> str:
        return f"{self.price}, all" if self.with_quarantined else self.price


def add_comparisons(requested: BettingPrice) -> list[BettingPrice]:
    """The requested price, and those to compare it with."""
    others = (
        BettingPrice("max", with_quarantined=True),
        BettingPrice("max", with_quarantined=False),
        BettingPrice("best", with_quarantined=False),
    )
    return [requested, *(other for other in others if other != requested)]


class BacktestRow(NamedTuple):
    """Bets with an expected value above `ev_above`; rates are fractions, None without bets.

    `mean_clv` and `beat_the_close` cover the bets whose reference has a closing price.
    """

    devig: str
    ev_above: float
    bets: int
    claimed_ev: float | None
    profit_rate: float | None
    mean_clv: float | None
    beat_the_close: float | None


class SharpBacktest(NamedTuple):
    """The bets at one price.

    `events` have a result, `offered` selections an opening price; `blind_rate` is the profit of betting on all of them.
    """

    offer: BettingPrice
    events: int
    offered: int
    blind_rate: float | None
    rows: list[BacktestRow]

    def as_json(self) -> dict[str, Any]:
        """The backtest as JSON."""
        figures = {name: value for name, value in self._asdict().items() if name not in {"offer", "rows"}}
        return {**self.offer._asdict(), **figures, "rows": [row._asdict() for row in self.rows]}


def run_sharp_backtest(prices: ReferencePrices, offer: BettingPrice, methods: Iterable[DevigMethod]) -> SharpBacktest:
    """One row for each method and threshold."""
    rows = [_build_row(prices, method, threshold) for method in methods for threshold in EV_THRESHOLDS]
    return SharpBacktest(
        offer, len(prices.won), int((~np.isnan(prices.offered)).sum()), compute_blind_rate(prices), rows
    )


def compute_blind_rate(prices: ReferencePrices) -> float | None:
    """Mean profit of betting on every selection with complete prices at both the reference and the offer."""
    priced = ~np.isnan(prices.offered + prices.opening).any(axis=1)
    return _mean(_profits(prices)[priced])


def _build_row(prices: ReferencePrices, method: DevigMethod, threshold: float) -> BacktestRow:
    fair, close = (devig(each, method).probabilities for each in (prices.opening, prices.closing))
    expected = expected_value(fair, prices.offered)
    is_bet = expected > threshold
    clv = expected_value(close, prices.offered)[is_bet]
    clv = clv[~np.isnan(clv)]
    return BacktestRow(
        devig=method.value,
        ev_above=threshold,
        bets=int(is_bet.sum()),
        claimed_ev=_mean(expected[is_bet]),
        profit_rate=_mean(_profits(prices)[is_bet]),
        mean_clv=_mean(clv),
        beat_the_close=_mean(clv > 0),
    )


def _profits(prices: ReferencePrices) -> NDArray[np.float64]:
    profit: NDArray[np.float64] = np.where(prices.won == 1, prices.offered, 0) - 1
    return profit


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None
