"""Homes, and one with the real servers: their paths are long, and contain spaces, a % or brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.core.settings import Settings
from edge_assets.local.home import Home
from edge_assets.local.shutdown import down
from tests.support.embedded_servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings from the environment, and leave any `.env` in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home.open(tmp_path / "100% [home]")
    yield home
    down(home)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    home = Home.open(tmp_path_factory.mktemp("local") / "a home with spaces and 50%d" / ("long" * 25))
    servers = Servers.of(home)
    servers.start()
    yield servers
    down(home)
