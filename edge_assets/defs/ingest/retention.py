"""Old recordings are dropped every day, where the server does not do so by itself."""

from datetime import timedelta

from dagster import DefaultScheduleStatus, OpExecutionContext, ResourceParam, ScheduleDefinition, job, op

from edge_assets.clock import Clock
from edge_assets.settings import Feed, Settings
from edge_assets.store.database import connect
from edge_assets.store.offers import thin
from edge_assets.store.retention import retain

RECENT = timedelta(days=7)
"""As long as all keyframes are kept, for whoever looks back."""


@op
def drop_old_recordings(
    context: OpExecutionContext, settings: ResourceParam[Settings], clock: ResourceParam[Clock]
) -> None:
    """Apply KEEP_TICKS_DAYS and KEEP_PAYLOADS_DAYS to the live feed; a replay's past is never too old."""
    if settings.edge_feed is not Feed.ODDS_API:
        context.log.info("recordings of the feed %s are kept", settings.edge_feed)
        return
    with connect(settings.require_database(), "retention") as conn:
        now = clock.now()
        thinned = thin(conn, now - RECENT)
        context.add_output_metadata({**retain(conn, settings.retention_days, now), "keyframes": thinned})


@job
def retention() -> None:
    """Drops recordings that are older than the configuration says."""
    drop_old_recordings()


retention_daily = ScheduleDefinition(
    name="retention_daily",
    job=retention,
    cron_schedule="23 4 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
)
