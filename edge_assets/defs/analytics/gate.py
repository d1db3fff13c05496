"""The gate before the warehouse: what is wrong is quarantined, and the warehouse waits for the canaries."""

from collections.abc import Iterator
from contextlib import closing

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetSpec,
    Config,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    multi_asset,
)
from pydantic import Field

from edge_assets.defs.analytics.rhythm import HOURLY
from edge_assets.defs.lineage import OWNERS, QUARANTINE, table_key
from edge_assets.quality.canaries import CANARIES, Finding
from edge_assets.quality.gate import pass_gate
from edge_assets.settings import Settings
from edge_assets.store.database import connect
from edge_assets.store.quarantine import held

SHOWN = 20


class GateConfig(Config):
    """What to judge."""

    everything: bool = Field(False, description="Judge all ticks anew, not only what the warehouse has not taken in.")


@multi_asset(
    name="gate",
    specs=[
        AssetSpec(
            QUARANTINE,
            deps=[table_key(table) for table in ("odds_ticks", "aggregate_ticks", "events", "event_results")],
            group_name="store",
            description="Table `quarantined_ticks`: prices taken out of the ticks, until a person releases them.",
            owners=OWNERS,
            kinds={"postgres", "python", "numpy"},
            freshness_policy=HOURLY,
        )
    ],
    check_specs=[
        AssetCheckSpec(name, asset=QUARANTINE, description=description, blocking=True)
        for name, description in CANARIES.items()
    ],
)
def gate(config: GateConfig, settings: ResourceParam[Settings]) -> Iterator[MaterializeResult[None]]:
    """Judge what is new; while a canary is dead the warehouse stays as it is."""
    with closing(connect(settings.require_database(), "gate")) as conn:
        report = pass_gate(conn, everything=config.everything)
        in_quarantine = held(conn)
    yield MaterializeResult(
        asset_key=QUARANTINE,
        metadata={
            "events": report.events,
            "ticks_judged": report.ticks,
            "quarantined": report.quarantined,
            "in_quarantine": MetadataValue.json(in_quarantine),
        },
        check_results=[_checked(finding) for finding in report.findings],
    )


def _checked(finding: Finding) -> AssetCheckResult:
    died_of = [case._asdict() for case in finding.died_of[:SHOWN]]
    return AssetCheckResult(
        asset_key=QUARANTINE,
        check_name=finding.name,
        passed=finding.alive,
        metadata={"cases": finding.cases, "died_of": MetadataValue.json(died_of)},
    )
