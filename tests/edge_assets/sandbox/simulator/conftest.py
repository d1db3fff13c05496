"""One world for all tests that only look at it."""

from __future__ import annotations

import pytest

from edge_assets.sandbox.simulator.market import SimulatedMarket


@pytest.fixture(scope="session")
def world() -> SimulatedMarket:
    return SimulatedMarket(seed=11)
