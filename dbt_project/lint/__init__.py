"""The parts of dbt that sqlfluff's Jinja lacks: the project's variables and the command's flags."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

_VARS: dict[str, Any] = yaml.safe_load(Path(__file__).parents[1].joinpath("dbt_project.yml").read_text())["vars"]
flags = SimpleNamespace(FULL_REFRESH=False)


def var(name: str) -> Any:
    """A variable of `dbt_project.yml`."""
    return _VARS[name]
