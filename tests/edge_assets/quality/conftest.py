"""Seasons in a database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect
from tests.support.invented_seasons import SeasonHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def harness(database_url: str, tmp_path: Path) -> Iterator[SeasonHarness]:
    """Imports seasons and runs the gate."""
    with connect(database_url, "test") as conn:
        yield SeasonHarness(database_url, conn, tmp_path)
