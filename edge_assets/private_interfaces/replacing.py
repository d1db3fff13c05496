"""Replacing a part of another program, which must not pass unnoticed where that part is gone."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


_DISTRIBUTIONS = {"dbt": "dbt-core"}


class InterfaceGoneError(RuntimeError):
    """A private interface of another project is no longer where it was."""


def replace_attribute(module: ModuleType, name: str, replacement: object) -> Any:
    """Put `replacement` in the place of a module's attribute, and return what was there.

    Raises `InterfaceGoneError` if nothing was: set all the same, the attribute would change nothing.
    """
    try:
        original = vars(module)[name]
    except KeyError:
        raise InterfaceGoneError(describe_loss(module.__name__, name)) from None
    setattr(module, name, replacement)
    return original


def describe_loss(module: str, name: str) -> str:
    """Which release has lost which name, and where to fix it."""
    package = module.partition(".")[0]
    distribution = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
    return f"{distribution} {version(distribution)} no longer has {module}.{name}; see edge_assets/private_interfaces"
