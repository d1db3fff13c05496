"""Deletes old odds, runs and Data Docs pages, for every feed, and measures sizes, every six hours."""

from datetime import datetime, timedelta
from pathlib import Path

from dagster import (
    DefaultScheduleStatus,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    in_process_executor,
    job,
    op,
)

from edge_assets.core.clock import Clock
from edge_assets.core.settings import Settings
from edge_assets.defs.ingest.old_runs import delete_old_runs
from edge_assets.store.maintenance.growth import measure_sizes
from edge_assets.store.maintenance.retention import apply_retention
from edge_assets.store.postgres.database import connect


@op
def drop_old_odds(context: OpExecutionContext, settings: ResourceParam[Settings], clock: ResourceParam[Clock]) -> None:
    """Delete odds older than KEEP_PAYLOADS_DAYS, KEEP_TICKS_DAYS, KEEP_ALERTS_DAYS and KEEP_PRICES_DAYS.

    Imported data is kept. Partitions in use are deleted next time.
    """
    with connect(settings.require_database_url(), "retention") as conn:
        result = apply_retention(conn, settings.retention_days, clock.now())
        measured = measure_sizes(conn, settings.edge_home)
    context.add_output_metadata(result.dropped | {"in use until next time": result.postponed})
    context.log.info("sizes in bytes: %s", measured)


@op
def drop_old_runs(context: OpExecutionContext, settings: ResourceParam[Settings], clock: ResourceParam[Clock]) -> None:
    """Delete Dagster's automatic runs older than KEEP_RUNS_DAYS, and old pages of the Data Docs."""
    before = clock.now() - timedelta(days=settings.retention_days.runs)
    pages = delete_old_pages(settings.data_docs_dir / "validations", before)
    context.add_output_metadata(delete_old_runs(context.instance, before) | {"pages of Data Docs": pages})


def delete_old_pages(folder: Path, before: datetime) -> int:
    """Delete files written before a time, and folders that are then empty; returns the number of files."""
    old = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink()
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
    return len(old)


@job(executor_def=in_process_executor)
def retention() -> None:
    """Deletes what is older than the KEEP_..._DAYS settings."""
    drop_old_odds()
    drop_old_runs()


retention_schedule = ScheduleDefinition(
    name="retention_six_hourly",
    job=retention,
    cron_schedule="23 4,10,16,22 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
)
