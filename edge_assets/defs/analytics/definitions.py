"""The code location `analytics`."""

from __future__ import annotations

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
    definitions,
)

from edge_assets.defs.analytics.history import build_imports
from edge_assets.defs.analytics.project import prepared_project
from edge_assets.defs.analytics.warehouse import DbtResource, build_warehouse


@definitions
def analytics() -> Definitions:
    """Imports, and the warehouse, rebuilt every hour."""
    warehouse = build_warehouse(prepared_project())
    job = define_asset_job(
        "warehouse", AssetSelection.assets(warehouse), description="dbt build: models and their tests."
    )
    hourly = ScheduleDefinition(
        name="warehouse_hourly",
        job=job,
        cron_schedule="7 * * * *",
        default_status=DefaultScheduleStatus.RUNNING,
    )
    return Definitions(
        assets=[warehouse, *build_imports()], jobs=[job], schedules=[hourly], resources={"dbt": DbtResource()}
    )
