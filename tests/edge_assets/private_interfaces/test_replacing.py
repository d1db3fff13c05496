"""Replacing a part of another program."""

from __future__ import annotations

from importlib.metadata import version
from types import ModuleType

import pytest

from edge_assets.private_interfaces.replacing import InterfaceGoneError, describe_loss, replace_attribute


def test_what_was_there_is_returned() -> None:
    module = ModuleType("mlflow.server")
    vars(module)["_run_server"] = run = object()
    assert replace_attribute(module, "_run_server", 1) is run
    assert vars(module)["_run_server"] == 1


def test_what_is_not_there_is_not_replaced() -> None:
    module = ModuleType("mlflow.server")
    gone = rf"mlflow {version('mlflow')} no longer has mlflow.server._run_server; see edge_assets/private_interfaces"
    with pytest.raises(InterfaceGoneError, match=gone):
        replace_attribute(module, "_run_server", 1)
    assert "_run_server" not in vars(module)


@pytest.mark.parametrize(
    ("module", "distribution"), [("dagster_dbt.core", "dagster-dbt"), ("dbt.cli", "dbt-core"), ("dagster", "dagster")]
)
def test_the_release_is_named(module: str, distribution: str) -> None:
    assert describe_loss(module, "x").startswith(f"{distribution} {version(distribution)} no longer has {module}.x")
