"""Results as an asset: what waits for one is asked for every quarter of an hour; sources that differ fail a check."""

import asyncio
from collections import Counter
from contextlib import closing
from datetime import UTC

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    DefaultScheduleStatus,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    RunRequest,
    ScheduleEvaluationContext,
    SkipReason,
    TableRecord,
    asset,
    asset_check,
    define_asset_job,
    in_process_executor,
    schedule,
)

from edge_assets.defs.lineage import FEED, OWNERS, SCOREBOARDS, table_key
from edge_assets.ingestion.facts import FactsUnavailableError
from edge_assets.ingestion.results import collect_results, nothing_to_ask
from edge_assets.settings import Settings
from edge_assets.store.database import connect
from edge_assets.store.result_looks import Contradiction, ResultLook, contradictions

RESULTS = table_key("results")
SHOWN = 50


@asset(
    key=RESULTS,
    deps=[FEED, SCOREBOARDS, table_key("events")],
    group_name="store",
    description="Table `results`: what each source states of a finished game; nothing is ever overwritten.",
    owners=OWNERS,
    kinds={"postgres", "python"},
)
def results(context: AssetExecutionContext, settings: ResourceParam[Settings]) -> MaterializeResult[None]:
    """Ask for the results of the games that are over."""
    looks = asyncio.run(collect_results(settings, context.run.run_id))
    for look in looks:
        if look.failure:
            context.log.warning("%s of %s: %s", look.source, look.sport, look.failure)
    rejected = sum((Counter(look.rejected) for look in looks), Counter[str]())
    return MaterializeResult(
        metadata={
            "new": sum(look.new for look in looks),
            "contradicted_events": sum(look.contradicted_events for look in looks),
            "credits_used": sum(look.credits_last or 0 for look in looks),
            "rejected": MetadataValue.json(dict(rejected)),
            "looks": MetadataValue.table([_look(look) for look in looks]),
        }
    )


@asset_check(asset=RESULTS, description="No two sources, and no source twice, state different results of a game.")
def results_agree(settings: ResourceParam[Settings]) -> AssetCheckResult:
    """List the contradictions; bets on these games stay unsettled until a person has looked."""
    with closing(connect(settings.require_database(), "edge-check")) as connection:
        found = contradictions(connection)
    return AssetCheckResult(
        passed=not found,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "contradicted": len(found),
            "newest": MetadataValue.table([_contradiction(c) for c in found[:SHOWN]]),
        },
    )


results_job = define_asset_job(
    "results",
    selection=[RESULTS],
    executor_def=in_process_executor,
    description="Asks for the results of the games that are over and have none.",
)


@schedule(
    job=results_job,
    cron_schedule="*/15 * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Looks whether a game waits for its result.",
)
def results_schedule(context: ScheduleEvaluationContext, settings: ResourceParam[Settings]) -> RunRequest | SkipReason:
    """One tick."""
    try:
        reason = nothing_to_ask(settings, context.scheduled_execution_time.astimezone(UTC))
    except FactsUnavailableError as error:
        reason = str(error)
    return SkipReason(reason) if reason else RunRequest()


def _look(look: ResultLook) -> TableRecord:
    rejected = ", ".join(f"{reason} {n}" for reason, n in look.rejected.items())
    return TableRecord(
        {
            "sport": look.sport,
            "source": look.source.value,
            "games": look.games,
            "new": look.new,
            "rejected": rejected,
            "failure": look.failure or "",
        }
    )


def _contradiction(found: Contradiction) -> TableRecord:
    return TableRecord(
        {
            "event": found.event_id,
            "game": f"{found.home_team} - {found.away_team}",
            "start": found.commence_at.isoformat(),
            "period": found.period,
            "statements": "; ".join(found.statements),
        }
    )
