"""The market is as good as real ones: hard to beat, though not impossible."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from edge_assets.sandbox.simulator.market import SimulatedMarket
from tests.support.simulated_markets import KEYS, times

Selection = tuple[str, str, str, float | None]


@pytest.fixture(scope="module")
def boards(world: SimulatedMarket) -> list[dict[Selection, list[float]]]:
    """True values of all prices on each selection before the start, on all sports' boards of an hour."""
    return [_board(world, i) for i in range(8)]


def _board(world: SimulatedMarket, number: int) -> dict[Selection, list[float]]:
    at = times(1, 450)[number]
    values: dict[Selection, list[float]] = defaultdict(list)
    for sport in KEYS:
        waiting = {event.id for event in world.listed_events(sport, at) if event.start > at.timestamp()}
        for event, _, quote, value in world.true_values(sport, at):
            if event in waiting:
                values[event, quote.market, quote.outcome, quote.point].append(value)
    return values


def test_a_price_costs_its_margin(boards: list[dict[Selection, list[float]]]) -> None:
    everything = np.concatenate([values for board in boards for values in board.values()])
    assert -0.05 < np.median(everything) < -0.035
    assert 0.005 < (everything > 0).mean() < 0.05


def test_the_best_price_of_all_is_about_fair(boards: list[dict[Selection, list[float]]]) -> None:
    """What many books quote is worth between -1.5 and +1 per cent at the best of them."""
    best = np.array([max(values) for board in boards for values in board.values() if len(values) > 15])
    assert len(best) > 1_000
    low, middle, high = np.percentile(best, [10, 50, 75])
    assert low > -0.02
    assert -0.012 < middle < 0
    assert high < 0.015


def test_clear_value_is_rare_and_there(boards: list[dict[Selection, list[float]]]) -> None:
    """Of the prices of many books a few in a thousand are worth more than five per cent over their cost."""
    for board in boards:
        everything = np.concatenate(list(board.values()))
        assert 0.001 < (everything > 0.05).mean() < 0.03
