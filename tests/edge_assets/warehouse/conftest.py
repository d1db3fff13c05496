"""A warehouse on a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dbt_build import Warehouse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def dbt_scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's scratch folder."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture
def warehouse(database_url: str, dbt_scratch: Path) -> Warehouse:
    """Not built yet."""
    return Warehouse(database_url, dbt_scratch)
