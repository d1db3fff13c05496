"""Results as an asset, polled every 15 minutes for games without one; sources that disagree fail a check."""

import asyncio
from collections import Counter
from collections.abc import Iterable
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
    TableColumn,
    TableMetadataValue,
    TableRecord,
    TableSchema,
    asset,
    asset_check,
    define_asset_job,
    in_process_executor,
    schedule,
)

from edge_assets.core.settings import Settings
from edge_assets.defs.lineage import FEED, OWNERS, SCOREBOARDS, table_key
from edge_assets.ingestion.results import collect_results, skip_reason
from edge_assets.ingestion.sensor_state import StateUnavailableError
from edge_assets.store.events.result_polls import Contradiction, ResultPoll, load_contradictions
from edge_assets.store.postgres.database import connect

RESULTS = table_key("results")
MAX_SHOWN_CONTRADICTIONS = 50
POLL_COLUMNS = ("sport", "source", "games", "new", "rejected", "failure")
CONTRADICTION_COLUMNS = ("event", "game", "start", "period", "statements")


@asset(
    key=RESULTS,
    deps=[FEED, SCOREBOARDS, table_key("events")],
    group_name="store",
    description="Table `results`: what each source states of a finished game; rows are never overwritten.",
    owners=OWNERS,
    kinds={"postgres", "python"},
)
def results(context: AssetExecutionContext, settings: ResourceParam[Settings]) -> MaterializeResult[None]:
    """Poll the results of the games that are over."""
    polls = asyncio.run(collect_results(settings, context.run.run_id))
    for poll in polls:
        if poll.failure:
            context.log.warning("%s of %s: %s", poll.source, poll.sport, poll.failure)
    rejected = sum((Counter(poll.rejected) for poll in polls), Counter[str]())
    return MaterializeResult(
        metadata={
            "new": sum(poll.new for poll in polls),
            "contradicted_events": sum(poll.contradicted_events for poll in polls),
            "credits_used": sum(poll.credits_last or 0 for poll in polls),
            "rejected": MetadataValue.json(dict(rejected)),
            "polls": _table(POLL_COLUMNS, map(_poll_row, polls)),
        }
    )


@asset_check(asset=RESULTS, description="No two sources, and no source twice, state different results of a game.")
def results_agree(settings: ResourceParam[Settings]) -> AssetCheckResult:
    """List the contradictions; these games settle nothing until a person decides (`edge results decide EVENT`)."""
    with closing(connect(settings.require_database_url(), "edge-check")) as connection:
        found = load_contradictions(connection)
    return AssetCheckResult(
        passed=not found,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "contradicted": len(found),
            "what to do": "`edge results show EVENT`, then `edge results decide EVENT --score 2-1 --reason ...`",
            "newest": _table(CONTRADICTION_COLUMNS, map(_contradiction_row, found[:MAX_SHOWN_CONTRADICTIONS])),
        },
    )


results_job = define_asset_job(
    "results",
    selection=[RESULTS],
    executor_def=in_process_executor,
    description="Polls the results of games that are over and have none.",
)


@schedule(
    job=results_job,
    cron_schedule="*/15 * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Checks whether a game is missing its result.",
)
def results_schedule(context: ScheduleEvaluationContext, settings: ResourceParam[Settings]) -> RunRequest | SkipReason:
    """Evaluate one tick."""
    try:
        reason = skip_reason(settings, context.scheduled_execution_time.astimezone(UTC))
    except StateUnavailableError as error:
        reason = str(error)
    return SkipReason(reason) if reason else RunRequest()


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> TableMetadataValue:
    """A table; Dagster requires columns for an empty one."""
    records = [TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return MetadataValue.table(records, TableSchema([TableColumn(name) for name in columns]))


def _poll_row(poll: ResultPoll) -> tuple[str | int, ...]:
    rejected = ", ".join(f"{reason} {n}" for reason, n in poll.rejected.items())
    return poll.sport, poll.source.value, poll.games, poll.new, rejected, poll.failure or ""


def _contradiction_row(found: Contradiction) -> tuple[str | int, ...]:
    game, start = f"{found.home_team} - {found.away_team}", found.commence_at.isoformat()
    return found.event_id, game, start, found.period, "; ".join(found.statements)
