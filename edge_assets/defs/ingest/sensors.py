"""The sensor that keeps bursts running: loads the state, calls `plan_burst`, acts on it, reports problems."""

from __future__ import annotations

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from edge_assets.core.clock import Clock
from edge_assets.core.settings import Settings
from edge_assets.defs.ingest.jobs import BURST_JOB
from edge_assets.defs.ingest.runs import BurstRuns
from edge_assets.defs.lineage import odds_key
from edge_assets.ingestion.planning import BurstPlan, plan_burst
from edge_assets.ingestion.sensor_heartbeat import write_sensor_heartbeat
from edge_assets.ingestion.sensor_state import StateUnavailableError, load_sensor_state


@sensor(
    job_name=BURST_JOB,
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Requests a burst for the sports that are due and that no burst polls.",
)
def odds_burst_sensor(
    context: SensorEvaluationContext, settings: ResourceParam[Settings], clock: ResourceParam[Clock]
) -> SensorResult | SkipReason:
    """Evaluate one tick: at most one run request; dead runs are marked as failed."""
    now = clock.now()
    try:
        state = load_sensor_state(settings, now)
    except StateUnavailableError as error:
        write_sensor_heartbeat(settings, now, None, unavailable_reason=str(error))
        return SkipReason(str(error))
    runs = BurstRuns(context.instance)
    decision = plan_burst(now, state.sports, runs.in_flight(now), state.terms, state.budget, runs.startup_failures)
    runs.fail_dead_runs(decision.dead_runs)
    write_sensor_heartbeat(settings, now, state, failed_run=runs.last_failure)
    if isinstance(decision, BurstPlan):
        return SensorResult(run_requests=[_run_request(decision)])
    return SensorResult(skip_reason=decision.reason)


def _run_request(plan: BurstPlan) -> RunRequest:
    return RunRequest(
        asset_selection=[odds_key(sport) for sport in plan.sports],
        tags={"edge/reason": plan.reason, "edge/sports": ",".join(plan.sports)},
    )
