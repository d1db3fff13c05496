"""Seasons in a database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.database import connect
from tests.edge_assets.quality.seasons import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    """Imports seasons and passes the gate."""
    with connect(database_url, "test") as conn:
        yield Desk(database_url, conn, tmp_path)
