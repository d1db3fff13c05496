"""What came of betting where a sharp book's fair price says so: claimed, paid and measured against its close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.market import devig, expected_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge_assets.store.reference_prices import ReferencePrices
    from ml.market import DevigMethod

THRESHOLDS = (0.0, 0.02, 0.05)


class Row(NamedTuple):
    """Bets with an expected value above `ev_above`; rates are fractions, None without a bet.

    `mean_clv` and `beat_the_close` are over the bets whose reference has a close.
    """

    devig: str
    ev_above: float
    bets: int
    claimed_ev: float | None
    profit_rate: float | None
    mean_clv: float | None
    beat_the_close: float | None


def sharp_table(prices: ReferencePrices, methods: Iterable[DevigMethod]) -> list[Row]:
    """One row for each method and threshold."""
    return [_row(prices, method, threshold) for method in methods for threshold in THRESHOLDS]


def blind_rate(prices: ReferencePrices) -> float | None:
    """Profit of betting everything that both the reference and the offer price completely."""
    priced = ~np.isnan(prices.offered + prices.opening).any(axis=1)
    return _mean(_profit(prices)[priced])


def _row(prices: ReferencePrices, method: DevigMethod, threshold: float) -> Row:
    fair, close = (devig(each, method).probabilities for each in (prices.opening, prices.closing))
    expected = expected_value(fair, prices.offered)
    chosen = expected > threshold
    clv = expected_value(close, prices.offered)[chosen]
    clv = clv[~np.isnan(clv)]
    return Row(
        devig=method.value,
        ev_above=threshold,
        bets=int(chosen.sum()),
        claimed_ev=_mean(expected[chosen]),
        profit_rate=_mean(_profit(prices)[chosen]),
        mean_clv=_mean(clv),
        beat_the_close=_mean(clv > 0),
    )


def _profit(prices: ReferencePrices) -> NDArray[np.float64]:
    profit: NDArray[np.float64] = np.where(prices.won == 1, prices.offered, 0) - 1
    return profit


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None
