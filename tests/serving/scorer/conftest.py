"""The scorer on a real database and a real Redis-compatible server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.scorer_harness import ScorerHarness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def harness(database_url: str, redis_url: str) -> Iterator[ScorerHarness]:
    """A market on the session's servers."""
    harness = ScorerHarness(database_url, redis_url)
    yield harness
    harness.close()
