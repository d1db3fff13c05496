"""The code location `analytics`."""

from __future__ import annotations

from dagster import (
    AssetSelection,
    Definitions,
    define_asset_job,
    definitions,
    in_process_executor,
)

from edge_assets.defs.analytics.expectations import expectations, expectations_job, expectations_schedule
from edge_assets.defs.analytics.gate import gate
from edge_assets.defs.analytics.history import build_imports
from edge_assets.defs.analytics.prices import prices
from edge_assets.defs.analytics.project import prepared_project
from edge_assets.defs.analytics.rhythm import warehouse_hourly, yield_to_alerts
from edge_assets.defs.analytics.turn import BuildTurnResource
from edge_assets.defs.analytics.warehouse import DbtResource, build_warehouse
from edge_assets.defs.analytics.weights import book_weights
from edge_assets.defs.ingest.resources import SettingsResource


@definitions
def analytics() -> Definitions:
    """Imports, and the warehouse, built every hour."""
    yield_to_alerts()
    warehouse = build_warehouse(prepared_project())
    job = define_asset_job(
        "warehouse",
        AssetSelection.assets(gate, warehouse, prices, book_weights),
        executor_def=in_process_executor,  # dbt, prices, dbt: a process for each would import everything anew
        description="Quarantine and findings; dbt build with its tests; prices between intermediate models and marts; "
        "weights of books.",
    )
    built = [spec for asset in (gate, warehouse, prices, book_weights) for spec in asset.specs]
    return Definitions(
        assets=[*build_imports(), gate, warehouse, prices, book_weights],
        asset_checks=[expectations],
        jobs=[job, expectations_job],
        schedules=[warehouse_hourly(job, built), expectations_schedule],
        resources={"dbt": DbtResource(), "settings": SettingsResource(), "turn": BuildTurnResource()},
    )
