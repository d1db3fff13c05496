from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge_assets.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_assets.cli.command import Edge


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """Runs the real command in a home of its own, with nothing configured but what is given."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        unset = {name.upper() for name in Settings.model_fields}
        inherited = {key: value for key, value in os.environ.items() if key not in unset}
        return subprocess.run(
            [sys.executable, "-c", "from edge_assets.cli import app; app()", *words],
            env={**inherited, "EDGE_HOME": str(tmp_path / "home"), "COLUMNS": "100", **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,  # a hang, not a slow machine: the longest builds a warehouse
            check=False,
        )

    return run
