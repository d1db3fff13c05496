"""Build schedules: hourly for tables of new data; nightly for views and season figures."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dagster import DefaultScheduleStatus, FreshnessPolicy, RunRequest, ScheduleDefinition, SkipReason

from edge_assets.core.settings import Settings
from edge_assets.store.analytics.build_lock import find_active_build
from edge_assets.store.analytics.views import load_views_of_version
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.dbt_runner import compute_project_version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from dagster import AssetKey, AssetSpec, DagsterInstance, ScheduleEvaluationContext

    from edge_assets.private_interfaces.dagster_core import UnresolvedAssetJobDefinition
    from edge_assets.store.analytics.build_lock import ActiveBuild

HOURLY_FRESHNESS = FreshnessPolicy.time_window(warn_window=timedelta(hours=2), fail_window=timedelta(hours=6))
"""For assets of every build: one build may fail, and the next repeats it."""
NIGHTLY_FRESHNESS = FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(days=3))
"""For assets of nightly builds. Views read current tables anyway."""
VIEW_KIND = "view"
"""The kind of models without rows of their own."""
NIGHTLY_BUILD_HOUR_UTC = 4
"""The hour (UTC) from which a day's full build is due."""
RUN_NICENESS = 10


def build_warehouse_schedule(job: UnresolvedAssetJobDefinition, specs: Sequence[AssetSpec]) -> ScheduleDefinition:
    """Run `job` every hour, for all assets or for the `specs` with `HOURLY_FRESHNESS`.

    A full build runs once after each night, when the machine is next on, and whenever a view is missing or was made by
    another version of the dbt project: the database may be new, or not have been used for a while.
    """
    hourly, nightly = keys_with_policy(specs, HOURLY_FRESHNESS), keys_with_policy(specs, NIGHTLY_FRESHNESS)
    views = {spec.key.path[-1] for spec in specs if VIEW_KIND in spec.kinds}

    def request_run(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        if builder := find_current_builder():
            since = f"{builder.since:%H:%M} UTC"
            return SkipReason(
                f"{builder.name} has been building the warehouse since {since}; new data waits for the next hour"
            )
        is_current = is_materialized_since_night(context.instance, nightly, context.scheduled_execution_time)
        return RunRequest(asset_selection=hourly if is_current and views <= existing_views() else None)

    return ScheduleDefinition(
        name="warehouse_hourly",
        job=job,
        cron_schedule="7 * * * *",
        execution_fn=request_run,
        default_status=DefaultScheduleStatus.RUNNING,
    )


def lower_priority() -> None:
    """Lower this process's priority if it is a run (spawned by a code server), because no alert depends on it.

    The code server keeps its priority, because Dagster's daemon waits for it.
    """
    if multiprocessing.parent_process() is not None:
        os.setpriority(os.PRIO_PROCESS, 0, RUN_NICENESS)


def keys_with_policy(specs: Iterable[AssetSpec], policy: FreshnessPolicy) -> list[AssetKey]:
    """The keys of the assets with a policy."""
    return [spec.key for spec in specs if spec.freshness_policy == policy]


def find_current_builder() -> ActiveBuild | None:
    """The build that is running on the warehouse at DATABASE_URL, if any."""
    with closing(connect(Settings().require_database_url(), "schedule")) as conn:
        return find_active_build(conn)


def existing_views() -> set[str]:
    """The views of the warehouse at DATABASE_URL that this version of the project created."""
    with closing(connect(Settings().require_database_url(), "schedule")) as conn:
        return load_views_of_version(conn, compute_project_version())


def is_materialized_since_night(instance: DagsterInstance, keys: Collection[AssetKey], now: datetime) -> bool:
    """Whether each of the assets was materialized after the latest `NIGHTLY_BUILD_HOUR_UTC` before `now`."""
    night = (now.astimezone(UTC) - timedelta(hours=NIGHTLY_BUILD_HOUR_UTC)).replace(
        hour=NIGHTLY_BUILD_HOUR_UTC, minute=0, second=0, microsecond=0
    )
    entries = (record.asset_entry for record in instance.get_asset_records(list(keys)))
    materialized_at = {e.asset_key: e.last_materialization.timestamp for e in entries if e.last_materialization}
    return all(materialized_at.get(key, 0.0) >= night.timestamp() for key in keys)
