"""Backtest: bet where a sharp book's fair price shows an edge. Claimed EV, profit, and value against the close.

The provider of fair prices and the strategy are those of `ml.scoring`, which the scorer uses too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.market import expected_value, probability_standard_error
from ml.scoring import BookProfile, BookProfiles, ScoringRules
from ml.scoring.fair_prices import ReferenceProvider
from ml.scoring.matrix import LineView
from ml.scoring.strategy import ExpectedValueThreshold, Portfolio, ValuedBets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from edge_assets.store.analytics.reference_prices import ReferencePrices
    from ml.market import DevigMethod
    from ml.quotes import Market
    from ml.scoring.fair_prices import FairPrices
    from ml.scoring.strategy import Strategy

    Array = NDArray[np.float64]

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


def run_sharp_backtest(
    prices: ReferencePrices, offer: BettingPrice, market: Market, methods: Iterable[DevigMethod]
) -> SharpBacktest:
    """One row for each method and threshold."""
    rows = [row for method in methods for row in _run_method(prices, market, method)]
    return SharpBacktest(
        offer, len(prices.won), int((~np.isnan(prices.offered)).sum()), compute_blind_rate(prices), rows
    )


def compute_blind_rate(prices: ReferencePrices) -> float | None:
    """Mean profit of betting on every selection with complete prices at both the reference and the offer."""
    priced = ~np.isnan(prices.offered + prices.opening).any(axis=1)
    return _mean(_profits(prices)[priced])


def _run_method(prices: ReferencePrices, market: Market, method: DevigMethod) -> Iterator[BacktestRow]:
    opening, closing = (_price_reference(each, market, method) for each in (prices.opening, prices.closing))
    for threshold in EV_THRESHOLDS:
        stakes = _place_bets(opening, prices.offered, ExpectedValueThreshold(threshold))
        expected, clv = (expected_value(fair.probability.T, prices.offered) for fair in (opening, closing))
        is_bet = stakes > 0
        has_close = is_bet & ~np.isnan(clv)
        yield BacktestRow(
            devig=method.value,
            ev_above=threshold,
            bets=int(is_bet.sum()),
            claimed_ev=_mean(expected[is_bet], stakes[is_bet]),
            profit_rate=_mean(_profits(prices)[is_bet], stakes[is_bet]),
            mean_clv=_mean(clv[has_close], stakes[has_close]),
            beat_the_close=_mean(clv[has_close] > 0),
        )


def _price_reference(prices: Array, market: Market, method: DevigMethod) -> FairPrices:
    """The fair prices of events at the reference's `prices` (e, n)."""
    events = np.arange(len(prices))
    lines = LineView.from_prices(
        prices[:, None], np.zeros((len(prices), 1), np.int64), commence_at=events, market=market,
        point=np.full(len(prices), np.nan), ladder=events, method=method,
    )  # fmt: skip
    books = BookProfiles.from_profiles([0], lambda _: BookProfile())
    return ReferenceProvider().price_lines(lines, books, 0, ScoringRules(method=method))


def _place_bets(fair: FairPrices, offered: Array, strategy: Strategy) -> Array:
    """The strategy's stakes (e, n) at the `offered` prices (e, n), 0 where it does not bet."""
    outcome, event, _ = strategy.find_candidates(fair, offered.T[..., None])
    probability = fair.probability[outcome, event]
    error = probability_standard_error(probability, fair.log_odds_error[outcome, event])
    stakes = np.zeros_like(offered)
    bets = ValuedBets(probability, error, offered[event, outcome])
    stakes[event, outcome] = strategy.request_stakes(bets, Portfolio()).stakes
    return stakes


def _profits(prices: ReferencePrices) -> Array:
    profit: Array = np.where(prices.won == 1, prices.offered, 0) - 1
    return profit


def _mean(values: NDArray[Any], weights: Array | None = None) -> float | None:
    return float(np.average(values, weights=weights)) if values.size else None
