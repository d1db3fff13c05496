"""What is built when: tables of what is new by the hour; views and what seasons are measured by, once a night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dagster import DefaultScheduleStatus, FreshnessPolicy, RunRequest, ScheduleDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagster import AssetKey, AssetSpec, DagsterInstance, ScheduleEvaluationContext
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

HOURLY = FreshnessPolicy.time_window(warn_window=timedelta(hours=2), fail_window=timedelta(hours=6))
"""Of what every build makes: one may fail and be repeated by the next."""
NIGHTLY = FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(days=3))
"""Of what only whole builds make. A view tells what its tables hold all the same."""
NIGHT = 4
"""The hour, in UTC, from which a day's whole build is due."""


def warehouse_hourly(job: UnresolvedAssetJobDefinition, specs: Iterable[AssetSpec]) -> ScheduleDefinition:
    """Run `job` every hour, for everything or for the `specs` that are `HOURLY`."""
    policies = {spec.key: spec for spec in specs}
    hourly = [key for key, spec in policies.items() if spec.freshness_policy == HOURLY]
    nightly = {key: spec.code_version for key, spec in policies.items() if spec.freshness_policy == NIGHTLY}

    def requested(context: ScheduleEvaluationContext) -> RunRequest:
        whole = whole_is_due(context.instance, nightly, context.scheduled_execution_time)
        return RunRequest(asset_selection=None if whole else hourly)

    return ScheduleDefinition(
        name="warehouse_hourly",
        job=job,
        cron_schedule="7 * * * *",
        execution_fn=requested,
        default_status=DefaultScheduleStatus.RUNNING,
    )


def whole_is_due(instance: DagsterInstance, nightly: dict[AssetKey, str | None], now: datetime) -> bool:
    """Whether one of the assets `nightly` has not been made since the last night, or was made by other code.

    A machine that is off at night catches up when it is on again; a new version does not wait for the night.
    """
    night = (now.astimezone(UTC) - timedelta(hours=NIGHT)).replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    records = {record.asset_entry.asset_key: record.asset_entry for record in instance.get_asset_records([*nightly])}
    made = {key: entry.last_materialization for key, entry in records.items()}
    versions = instance.get_latest_materialization_code_versions([*nightly])
    return any(
        # of an asset without a version Dagster keeps the run instead
        (last := made.get(key)) is None or last.timestamp < night.timestamp() or version not in {None, versions[key]}
        for key, version in nightly.items()
    )
