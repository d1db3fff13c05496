"""Alerts for the store's tests, with numbers that use all their bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.core.clock import to_micros
from ml.quotes import Market, Outcome
from ml.scoring.alerts import Alert, AlertKey, AlertMetrics, Leg, open_alert
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness


def value_bet(
    harness: StoreHarness,
    poll: int,
    *,
    book: int = 0,
    edge: float = 0.1 / 3,
    market: Market = Market.SPREADS,
    outcome: Outcome = Outcome.HOME,
    point: float | None = None,
) -> Alert:
    """A value bet on the first event, opened at noon."""
    key = AlertKey("value", harness.events[0], market, point, outcome, harness.books[book])
    price = 2 + 1 / 7
    fair = 1 / price + edge
    metrics = AlertMetrics(
        expected_value=fair * price - 1,
        books=5,
        price_age_s=20.000001,
        price=price,
        fair_probability=fair,
        implied_probability=1 / price,
        edge=edge,
        standard_error=0.01 / 3,
        expected_value_low=-0.1 / 7,
        expected_value_high=0.1 / 3,
        probability_positive=1 - 1e-16,
        push_probability=1 / 11,
        kelly_fraction=0.04 / 3,
        stake_fraction=0.01 / 3,
        confidence=71.3,
        method_spread=1e-17,
        market_width=0.045,
        hold=-0.001,
        error_probability=0.1 / 3,
    )
    return open_alert(key, metrics, to_micros(NOON), poll, poll)


def arbitrage(harness: StoreHarness, poll: int) -> Alert:
    """An arbitrage between two books on the first event, opened at noon."""
    legs = (
        Leg(Outcome.HOME, harness.books[0], 2.1, 1 / 3),
        Leg(Outcome.AWAY, harness.books[2], 2.2, 2 / 3),
    )
    key = AlertKey("arbitrage", harness.events[0], Market.H2H, None)
    return open_alert(key, AlertMetrics(0.07 / 3, 2, 1.5, rules="unknown", legs=legs), to_micros(NOON), poll, poll)
