"""The job that the sensor and the UI launch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import define_asset_job, in_process_executor

from edge_assets.defs.lineage import odds_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_assets.private_interfaces.dagster_core import UnresolvedAssetJobDefinition

BURST_JOB = "odds_burst"
MAX_RUNTIME_SECONDS = 600
"""Twice a burst: the orchestrator does not notice a hung worker by itself."""


def build_burst_job(sports: Sequence[str]) -> UnresolvedAssetJobDefinition:
    """Runs in process: a separate step process would cost 3 s before the first poll."""
    return define_asset_job(
        BURST_JOB,
        selection=[odds_key(sport) for sport in sports],
        executor_def=in_process_executor,
        description="Polls the selected sports for a few minutes and hands over to the next burst.",
        tags={"dagster/max_runtime": str(MAX_RUNTIME_SECONDS)},
    )
