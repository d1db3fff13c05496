"""The burst as an asset: one materialization for each sport that it polled."""

import asyncio
from collections.abc import Iterator, Sequence

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    Config,
    Failure,
    MaterializeResult,
    ResourceParam,
    multi_asset,
)
from pydantic import Field

from edge_assets.core.clock import WallClock
from edge_assets.core.settings import Settings
from edge_assets.defs.ingest.runs import POLLED_TAG, WORK_TAG
from edge_assets.defs.lineage import odds_key, odds_specs, sport_of
from edge_assets.ingestion.burst import BurstRequest, run_burst
from edge_assets.ingestion.report import SportReport


class BurstConfig(Config):
    """How long a burst runs."""

    duration_seconds: float = Field(300.0, gt=0, description="Real time until the successor should take over.")
    grace_seconds: float = Field(
        60.0, ge=0, description="How much longer to wait for the successor to claim the lease."
    )


def build_odds_assets(sports: Sequence[str]) -> AssetsDefinition:
    """The assets of `sports`; a run materializes any subset of them."""

    @multi_asset(specs=odds_specs(sports), can_subset=True, name="odds_burst_step")
    def odds(
        context: AssetExecutionContext, config: BurstConfig, settings: ResourceParam[Settings]
    ) -> Iterator[MaterializeResult[None]]:
        """Poll the selected sports, each at its own interval, until the burst is over."""
        selected = tuple(sorted(sport_of(key) for key in context.selected_asset_keys))
        request = BurstRequest(
            context.run.run_id, selected, config.duration_seconds, config.grace_seconds, controller=_BurstRun(context)
        )
        reports = asyncio.run(run_burst(request, settings))
        yield from (_materialize(report) for report in reports if report.polls or report.repeats)
        _raise_failures(reports)

    return odds


class _BurstRun:
    """The run of a burst, which the sensor or a person may cancel."""

    def __init__(self, context: AssetExecutionContext) -> None:
        self._instance = context.instance
        self._run_id = context.run.run_id

    def is_wanted(self) -> bool:
        """Whether the run is in flight; if not, another run has its sports."""
        run = self._instance.get_run_by_id(self._run_id)
        return run is not None and not run.is_finished

    def mark_started(self) -> None:
        """Tag the run as started, for the sensor."""
        self._tag(WORK_TAG)

    def mark_polled(self) -> None:
        """Tag the run as having polled, for the sensor."""
        self._tag(POLLED_TAG)

    def _tag(self, name: str) -> None:
        self._instance.add_run_tags(self._run_id, {name: WallClock().now().isoformat(timespec="seconds")})


def _materialize(report: SportReport) -> MaterializeResult[None]:
    return MaterializeResult(asset_key=odds_key(report.sport), metadata=report.to_metadata())


def _raise_failures(reports: Sequence[SportReport]) -> None:
    """Fail the run if a sport was refused, after the others have been recorded."""
    if reasons := {report.sport: report.failure for report in reports if report.failure}:
        raise Failure("; ".join(f"{sport}: {why}" for sport, why in reasons.items()), allow_retries=False)
