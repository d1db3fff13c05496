"""The gate before the warehouse: wrong prices are quarantined or held out, and the rest is built."""

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

from edge_assets.defs.analytics.build_lock import BuildLock
from edge_assets.defs.analytics.schedules import HOURLY_FRESHNESS
from edge_assets.defs.lineage import OWNERS, QUARANTINE, table_key
from edge_assets.quality.checks import CHECK_DESCRIPTIONS
from edge_assets.quality.gate import run_quality_gate
from edge_assets.store.analytics.findings import Finding
from edge_assets.store.analytics.quarantine import count_quarantined
from edge_assets.store.postgres.database import connect

MAX_SHOWN_FINDINGS = 20


class GateConfig(Config):
    """What to check."""

    everything: bool = Field(
        False, description="Check all ticks again, not only those that are not in the warehouse yet."
    )


@multi_asset(
    name="gate",
    specs=[
        AssetSpec(
            QUARANTINE,
            deps=[table_key(table) for table in ("odds_ticks", "aggregate_ticks", "events", "event_results")],
            group_name="store",
            description="Tables `quarantined_ticks` and `quality_findings`: single prices held back until a "
            "person releases them, and groups that are held out until a person decides.",
            owners=OWNERS,
            kinds={"postgres", "python", "numpy"},
            freshness_policy=HOURLY_FRESHNESS,
        )
    ],
    check_specs=[
        AssetCheckSpec(name, asset=QUARANTINE, description=description)
        for name, description in CHECK_DESCRIPTIONS.items()
    ],
)
def quality_gate(config: GateConfig, build_lock: ResourceParam[BuildLock]) -> Iterator[MaterializeResult[None]]:
    """Check new prices; suspect ones stay out of the warehouse, and a check fails until a person decides."""
    with closing(connect(build_lock.database_url, "gate")) as conn:
        report = run_quality_gate(conn, recheck_all=config.everything)
        in_quarantine = count_quarantined(conn)
    yield MaterializeResult(
        asset_key=QUARANTINE,
        metadata={
            "events": report.events,
            "ticks_judged": report.ticks,
            "quarantined": report.quarantined,
            "in_quarantine": MetadataValue.json(in_quarantine),
            "new_findings": len(report.new_findings),
            "open_findings": len(report.open_findings),
        },
        check_results=[_check_result(name, report.open_findings) for name in CHECK_DESCRIPTIONS],
    )


def _check_result(name: str, open_findings: Sequence[Finding]) -> AssetCheckResult:
    failed = [finding for finding in open_findings if name in finding.checks]
    shown = [_finding_row(finding) for finding in failed[:MAX_SHOWN_FINDINGS]]
    evidence = {str(finding.id): finding.evidence for finding in failed[:MAX_SHOWN_FINDINGS]}
    table = {"findings": MetadataValue.table(shown), "evidence": MetadataValue.json(evidence)} if failed else {}
    return AssetCheckResult(
        asset_key=QUARANTINE, check_name=name, passed=not failed, metadata={"open_findings": len(failed), **table}
    )


def _finding_row(finding: Finding) -> TableRecord:
    return TableRecord(
        {
            "finding": finding.id,
            "held out": "nothing yet: it blocks" if finding.blocks else finding.scope_summary,
            "reason": finding.reason,
            "found": f"{finding.found_at:%Y-%m-%d %H:%M}",
            "what to do": finding.remedy,
        }
    )
