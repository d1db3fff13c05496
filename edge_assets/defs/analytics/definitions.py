"""The code location `analytics`."""

from __future__ import annotations

from dagster import (
    AssetSelection,
    Definitions,
    define_asset_job,
    definitions,
    in_process_executor,
)

from edge_assets.defs.analytics.build_lock import BuildLockResource
from edge_assets.defs.analytics.expectations import expectations, expectations_job, expectations_schedule
from edge_assets.defs.analytics.gate import quality_gate
from edge_assets.defs.analytics.import_assets import build_import_assets
from edge_assets.defs.analytics.prices import prices
from edge_assets.defs.analytics.project import prepare_project
from edge_assets.defs.analytics.schedules import build_warehouse_schedule, lower_priority
from edge_assets.defs.analytics.warehouse import DbtResource, build_warehouse_assets
from edge_assets.defs.analytics.weights import book_weights
from edge_assets.defs.ingest.resources import SettingsResource


@definitions
def analytics_definitions() -> Definitions:
    """Imports, and the warehouse, built every hour."""
    lower_priority()
    warehouse = build_warehouse_assets(prepare_project())
    job = define_asset_job(
        "warehouse",
        AssetSelection.assets(quality_gate, warehouse, prices, book_weights),
        executor_def=in_process_executor,  # dbt, prices, dbt: separate processes would each import everything again
        description="Quality gate; dbt build with its tests; prices between intermediate models and marts; "
        "consensus weights.",
    )
    specs = [spec for asset in (quality_gate, warehouse, prices, book_weights) for spec in asset.specs]
    return Definitions(
        assets=[*build_import_assets(), quality_gate, warehouse, prices, book_weights],
        asset_checks=[expectations],
        jobs=[job, expectations_job],
        schedules=[build_warehouse_schedule(job, specs), expectations_schedule],
        resources={"dbt": DbtResource(), "settings": SettingsResource(), "build_lock": BuildLockResource()},
    )
