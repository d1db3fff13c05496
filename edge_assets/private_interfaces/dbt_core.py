"""Interfaces of dbt: its runner is documented; the classes that it returns and its events are not. Slow to import."""

from typing import cast

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict

__all__ = ["EventMsg", "Manifest", "copy_manifest", "dbtRunner", "dbtRunnerResult", "msg_to_dict"]


def copy_manifest(manifest: Manifest) -> Manifest:
    """A copy: compiling leaves marks in a manifest, and the next command misses the ephemeral models."""
    return cast("Manifest", manifest.deepcopy())  # type: ignore[no-untyped-call]  # dbt's own have no types
