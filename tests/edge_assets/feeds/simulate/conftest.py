"""One world for all tests that only look at it."""

from __future__ import annotations

import pytest

from edge_assets.feeds.simulate.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return World(seed=11)
