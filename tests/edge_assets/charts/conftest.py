"""A harness that writes polls of two events."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect
from tests.support.poll_factories import StoreHarness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def harness(database_url: str) -> Iterator[StoreHarness]:
    """A harness on a database of its own."""
    with closing(connect(database_url, "test")) as conn:
        yield StoreHarness(conn)
