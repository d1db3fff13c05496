"""The market is as efficient as real ones: hard to beat, but not impossible."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from edge_assets.sandbox.simulator.market import SimulatedMarket
from tests.support.simulated_markets import KEYS, times

Selection = tuple[str, str, str, float | None]


@pytest.fixture(scope="module")
def value_tables(simulator: SimulatedMarket) -> list[dict[Selection, list[float]]]:
    """True values of all prices by selection before the start, for all sports, at eight times within an hour."""
    return [_value_table(simulator, i) for i in range(8)]


def _value_table(simulator: SimulatedMarket, number: int) -> dict[Selection, list[float]]:
    at = times(1, 450)[number]
    values: dict[Selection, list[float]] = defaultdict(list)
    for sport in KEYS:
        waiting = {event.id for event in simulator.listed_events(sport, at) if event.start > at.timestamp()}
        for event, _, quote, value in simulator.true_values(sport, at):
            if event in waiting:
                values[event, quote.market, quote.outcome, quote.point].append(value)
    return values


def test_prices_cost_their_margin(value_tables: list[dict[Selection, list[float]]]) -> None:
    everything = np.concatenate([values for table in value_tables for values in table.values()])
    assert -0.05 < np.median(everything) < -0.035
    assert 0.005 < (everything > 0).mean() < 0.05


def test_the_best_price_is_about_fair(value_tables: list[dict[Selection, list[float]]]) -> None:
    """If many books quote a selection, the best price has a true EV between about -1.5 and +1 per cent."""
    best = np.array([max(values) for table in value_tables for values in table.values() if len(values) > 15])
    assert len(best) > 1_000
    low, middle, high = np.percentile(best, [10, 50, 75])
    assert low > -0.02
    assert -0.012 < middle < 0
    assert high < 0.015


def test_clear_value_is_rare_but_exists(value_tables: list[dict[Selection, list[float]]]) -> None:
    """A few in a thousand prices have a true EV above five per cent."""
    for table in value_tables:
        everything = np.concatenate(list(table.values()))
        assert 0.001 < (everything > 0.05).mean() < 0.03
