"""The scorer on a real database and a real Redis-compatible server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.serving.scorer.desk import ScorerDesk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def desk(database_url: str, redis_url: str) -> Iterator[ScorerDesk]:
    """A market on the session's servers."""
    desk = ScorerDesk(database_url, redis_url)
    yield desk
    desk.close()
