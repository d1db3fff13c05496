"""What others have written for the same purpose."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any


@cache
def penaltyblog_part(name: str) -> Any:
    """A part of `penaltyblog` without the rest, whose import takes seconds and 22 packages (see pyproject.toml)."""
    if "penaltyblog" not in sys.modules:
        spec = find_spec("penaltyblog")
        assert spec is not None
        sys.modules["penaltyblog"] = module_from_spec(spec)
    return import_module(f"penaltyblog.{name}")


def penaltyblog_implied() -> Any:
    """The de-vig of `penaltyblog`."""
    return penaltyblog_part("implied")
