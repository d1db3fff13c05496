"""The runs of the burst job as the sensor sees them: in flight, failed, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from edge_assets.defs.ingest.jobs import BURST_JOB
from edge_assets.defs.ingest.processes import has_process
from edge_assets.defs.lineage import sport_of
from edge_assets.ingestion.planning import Burst, FailedRuns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dagster import DagsterInstance, RunRecord

QUEUED_STATUSES = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED)
IN_FLIGHT_STATUSES = (
    *QUEUED_STATUSES,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
FINISHED_STATUSES = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE)
WORK_TAG = "edge/at-work"
"""Set once a run has everything it needs: later failures belong to a sport, which has its own back-off."""
POLLED_TAG = "edge/polled"
"""Set when a run made its first poll."""
MAX_FINISHED_RUNS = 10
"""The newest finished runs among which consecutive failures are counted."""


class BurstRuns:
    """The runs at one point in time."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = instance
        self._in_flight = self._records(IN_FLIGHT_STATUSES, 50)
        self._finished = self._records(FINISHED_STATUSES, MAX_FINISHED_RUNS)

    def in_flight(self, now: datetime) -> list[Burst]:
        """The runs in flight."""
        return [_to_burst(record, now) for record in self._in_flight]

    @property
    def startup_failures(self) -> FailedRuns:
        """The runs that failed at startup since one last got past it."""
        failures = []
        for record in self._finished:
            if not _is_failed(record) or WORK_TAG in record.dagster_run.tags:
                break
            failures.append(record)
        if not failures or self._has_later_run(failures[0], WORK_TAG):
            return FailedRuns()
        return FailedRuns(len(failures), _to_datetime(failures[0].end_time) or failures[0].update_timestamp)

    @property
    def last_failure(self) -> str | None:
        """The last failed run and its error, if none has succeeded since."""
        if (
            not self._finished
            or not _is_failed(self._finished[0])
            or self._has_later_run(self._finished[0], POLLED_TAG)
        ):
            return None
        run = self._finished[0].dagster_run
        return f"run {run.run_id[:8]} failed: {self._failure_reason(run.run_id)}"

    def fail_dead_runs(self, dead: Iterable[str]) -> None:
        """Mark runs as failed."""
        for run_id in dead:
            if (run := self._instance.get_run_by_id(run_id)) and not run.is_finished:
                self._instance.report_run_failed(run, "The burst no longer holds a lease: its process is gone.")

    def _records(self, statuses: Sequence[DagsterRunStatus], limit: int) -> Sequence[RunRecord]:
        return self._instance.get_run_records(RunsFilter(job_name=BURST_JOB, statuses=list(statuses)), limit=limit)

    def _has_later_run(self, record: RunRecord, tag: str) -> bool:
        """Whether a later run in flight has the tag."""
        return any(tag in other.dagster_run.tags and other.storage_id > record.storage_id for other in self._in_flight)

    def _failure_reason(self, run_id: str) -> str:
        """The error of the failed step or else the orchestrator's message."""
        steps = self._instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE)
        for entry in reversed(steps):
            data = entry.dagster_event and entry.dagster_event.step_failure_data
            if data and data.user_failure_data and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            if data and data.error:
                return str((data.error.cause or data.error).message).strip()
        run_failures = self._instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE)
        return (
            str(run_failures[-1].dagster_event and run_failures[-1].dagster_event.message)
            if run_failures
            else "no reason given"
        )


def _is_failed(record: RunRecord) -> bool:
    return record.dagster_run.status is DagsterRunStatus.FAILURE


def _to_burst(record: RunRecord, now: datetime) -> Burst:
    """The run as a burst. A queued run stays fresh: its waiting time does not show its health."""
    run = record.dagster_run
    is_queued = run.status in QUEUED_STATUSES
    since = now if is_queued else _to_datetime(record.start_time) or record.create_timestamp
    sports = frozenset(sport_of(key) for key in run.asset_selection or ())
    return Burst(run.run_id, sports, since, None if is_queued else has_process(run), WORK_TAG in run.tags)


def _to_datetime(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
