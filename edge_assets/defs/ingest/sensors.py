"""The sensor that keeps bursts going: gathers facts, asks `plan_burst`, does what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from edge_assets.clock import Clock
from edge_assets.defs.ingest.jobs import BURST_JOB
from edge_assets.defs.lineage import odds_key, sport_of
from edge_assets.ingestion.facts import FactsUnavailableError, read_facts
from edge_assets.ingestion.planning import Burst, BurstPlan, plan_burst
from edge_assets.ingestion.pulse import show_pulse
from edge_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagster import RunRecord

NOT_AT_WORK_YET = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED)
IN_FLIGHT = (
    *NOT_AT_WORK_YET,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)


@sensor(
    job_name=BURST_JOB,
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Requests a burst for the sports that are due and that no burst watches.",
)
def odds_burst_sensor(
    context: SensorEvaluationContext, settings: ResourceParam[Settings], clock: ResourceParam[Clock]
) -> SensorResult | SkipReason:
    """One tick: at most one run request; runs that died without a word are marked as failed."""
    now = clock.now()
    try:
        facts = read_facts(settings, now)
    except FactsUnavailableError as error:
        show_pulse(settings, now, None, wanting=str(error))
        return SkipReason(str(error))
    show_pulse(settings, now, facts)
    decision = plan_burst(now, facts.sports, _bursts(context.instance, now), facts.terms, facts.budget)
    _bury(context.instance, decision.dead)
    if isinstance(decision, BurstPlan):
        return SensorResult(run_requests=[_request(decision)])
    return SensorResult(skip_reason=decision.reason)


def _bursts(instance: DagsterInstance, now: datetime) -> list[Burst]:
    records = instance.get_run_records(RunsFilter(job_name=BURST_JOB, statuses=list(IN_FLIGHT)), limit=50)
    return [_burst(record, now) for record in records]


def _burst(record: RunRecord, now: datetime) -> Burst:
    """A run that waits in the queue stays fresh: how long it waits says nothing about its health."""
    run = record.dagster_run
    started = datetime.fromtimestamp(record.start_time, UTC) if record.start_time else record.create_timestamp
    since = now if run.status in NOT_AT_WORK_YET else started
    return Burst(run.run_id, frozenset(sport_of(key) for key in run.asset_selection or ()), since)


def _bury(instance: DagsterInstance, dead: Iterable[str]) -> None:
    for run_id in dead:
        if (run := instance.get_run_by_id(run_id)) and not run.is_finished:
            instance.report_run_failed(run, "The burst no longer holds a lease: its process is gone.")


def _request(plan: BurstPlan) -> RunRequest:
    return RunRequest(
        asset_selection=[odds_key(sport) for sport in plan.sports],
        tags={"edge/reason": plan.reason, "edge/sports": ",".join(plan.sports)},
    )
