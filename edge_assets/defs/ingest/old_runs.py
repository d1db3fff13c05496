"""Old runs of Dagster, with their logs; Dagster itself keeps them forever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import DagsterRunStatus, RunsFilter
from dagster_postgres.event_log import PostgresEventLogStorage

from edge_assets.store.maintenance.dagster_storage import delete_old_checks_and_events

if TYPE_CHECKING:
    from datetime import datetime

    from dagster import DagsterInstance, RunRecord

FINISHED_STATUSES = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
AUTOMATIC_RUN_TAGS = {"dagster/sensor_name", "dagster/schedule_name"}
"""Tags of automatic runs; those that a person launched are few, and are kept."""
MAX_RUNS_PER_CALL = 10_000
"""Runs deleted per call: enough for a month that was never cleaned up."""


def delete_old_runs(instance: DagsterInstance, before: datetime) -> dict[str, int]:
    """Delete automatic runs created before a time that have finished, with their events and compute logs.

    The last successful run of each job is kept: it shows when its assets were made. Returns counts by kind.
    """
    old = instance.get_run_records(
        RunsFilter(statuses=FINISHED_STATUSES, created_before=before), limit=MAX_RUNS_PER_CALL, ascending=True
    )
    automatic = [record.dagster_run for record in old if AUTOMATIC_RUN_TAGS & record.dagster_run.tags.keys()]
    last_successes = {_last_success(instance, job) for job in {run.job_name for run in automatic}}
    deleted = [run.run_id for run in automatic if run.run_id not in last_successes]
    for run_id in deleted:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, PostgresEventLogStorage):
        return {"runs": len(deleted), **delete_old_checks_and_events(storage.postgres_url, before)}
    return {"runs": len(deleted)}


def _last_success(instance: DagsterInstance, job: str) -> str | None:
    successes: list[RunRecord] = list(
        instance.get_run_records(RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS]), limit=1)
    )
    return successes[0].dagster_run.run_id if successes else None
