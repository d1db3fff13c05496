"""The gate before the warehouse: what is wrong is quarantined or held out, and everything else is built."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetSpec,
    Config,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    TableRecord,
    multi_asset,
)
from pydantic import Field

from edge_assets.defs.analytics.rhythm import HOURLY
from edge_assets.defs.analytics.turn import BuildTurn
from edge_assets.defs.lineage import OWNERS, QUARANTINE, table_key
from edge_assets.quality.checks import CHECKS
from edge_assets.quality.gate import pass_gate
from edge_assets.store.database import connect
from edge_assets.store.findings import Finding
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
            description="Tables `quarantined_ticks` and `quality_findings`: single prices that nobody should act on, "
            "until a person releases them, and what is held out as a whole, until it is decided.",
            owners=OWNERS,
            kinds={"postgres", "python", "numpy"},
            freshness_policy=HOURLY,
        )
    ],
    check_specs=[
        AssetCheckSpec(name, asset=QUARANTINE, description=description) for name, description in CHECKS.items()
    ],
)
def gate(config: GateConfig, turn: ResourceParam[BuildTurn]) -> Iterator[MaterializeResult[None]]:
    """Judge what is new; what is suspected stays out of the warehouse, and a check fails until that is decided."""
    with closing(connect(turn.database_url, "gate")) as conn:
        report = pass_gate(conn, everything=config.everything)
        in_quarantine = held(conn)
    yield MaterializeResult(
        asset_key=QUARANTINE,
        metadata={
            "events": report.events,
            "ticks_judged": report.ticks,
            "quarantined": report.quarantined,
            "in_quarantine": MetadataValue.json(in_quarantine),
            "new_findings": len(report.found),
            "open_findings": len(report.findings),
        },
        check_results=[_checked(name, report.findings) for name in CHECKS],
    )


def _checked(name: str, is_open: Sequence[Finding]) -> AssetCheckResult:
    failed = [finding for finding in is_open if name in finding.checks]
    shown = [_row(finding) for finding in failed[:SHOWN]]
    evidence = {str(finding.id): finding.evidence for finding in failed[:SHOWN]}
    table = {"findings": MetadataValue.table(shown), "evidence": MetadataValue.json(evidence)} if failed else {}
    return AssetCheckResult(
        asset_key=QUARANTINE, check_name=name, passed=not failed, metadata={"open_findings": len(failed), **table}
    )


def _row(finding: Finding) -> TableRecord:
    return TableRecord(
        {
            "finding": finding.id,
            "held out": "nothing yet: it blocks" if finding.blocks else finding.reach,
            "reason": finding.reason,
            "found": f"{finding.found_at:%Y-%m-%d %H:%M}",
            "what to do": finding.remedy,
        }
    )
