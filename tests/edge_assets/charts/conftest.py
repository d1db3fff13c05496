"""A desk that writes polls of two events."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.database import connect
from tests.edge_assets.store.material import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """On a database of its own."""
    with closing(connect(database_url, "test")) as conn:
        yield Desk(conn)
