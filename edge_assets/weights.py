"""How much each book counts in the consensus."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def book_weights(overrides: Mapping[str, float]) -> dict[str, float]:
    """The weights of `weights.toml` by book key, with `overrides` in place of single ones."""
    defaults = tomllib.loads(files(__package__).joinpath("weights.toml").read_text(encoding="utf-8"))
    return {**defaults, **overrides}
