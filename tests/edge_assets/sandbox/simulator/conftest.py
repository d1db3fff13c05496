"""One simulated market, shared by tests that only read it."""

from __future__ import annotations

import pytest

from edge_assets.sandbox.simulator.market import SimulatedMarket


@pytest.fixture(scope="session")
def simulator() -> SimulatedMarket:
    return SimulatedMarket(seed=11)
