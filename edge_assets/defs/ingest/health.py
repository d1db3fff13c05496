"""The product's health as a check, evaluated by a sensor: what `edge status` says, without a process a look."""

import json
from contextlib import closing
from typing import NamedTuple

import psycopg
from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetKey,
    DefaultSensorStatus,
    MetadataValue,
    ResourceParam,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    TableColumn,
    TableRecord,
    TableSchema,
    asset_check,
    sensor,
)

from edge_assets.defs.lineage import ALERTS
from edge_assets.health.assessment import assess, assess_lost, without_database
from edge_assets.health.credits import CreditOutlook, foresee
from edge_assets.health.findings import Finding, Health
from edge_assets.health.remedies import Severity
from edge_assets.lost_polls import read_all
from edge_assets.settings import Feed, MissingSettingError, Settings
from edge_assets.store.credit_use import read_credit_use
from edge_assets.store.vital_signs import connect_briefly, read_vital_signs

NAME = "the_product_works"
DESCRIPTION = "Nothing keeps alerts from being found and shown: what `edge status` says, with what to do."
COLUMNS = ("severity", "of", "problem", "detail", "what to do")


@asset_check(asset=ALERTS, name=NAME, description=DESCRIPTION)
def the_product_works(settings: ResourceParam[Settings]) -> AssetCheckResult:
    """Look now."""
    seen = look(settings)
    health = seen.health
    return AssetCheckResult(passed=health.status == "ok", severity=_severity(health), metadata=_metadata(seen))


@sensor(
    name="health_sensor",
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Evaluates the check of the product's health when that has changed.",
)
def health_sensor(context: SensorEvaluationContext, settings: ResourceParam[Settings]) -> SensorResult | SkipReason:
    """One tick; nothing is written while the same things are wrong."""
    seen = look(settings)
    health = seen.health
    state = json.dumps([health.status, *sorted(f"{f.kind} {f.subject}" for f in health.findings)])
    if state == context.cursor:
        return SkipReason(health.headline)
    return SensorResult(asset_events=[_evaluation(ALERTS, seen)], cursor=state, skip_reason=health.headline)


class Seen(NamedTuple):
    """The product's health, and the credits of a metered feed."""

    health: Health
    credits: CreditOutlook | None = None


def look(settings: Settings) -> Seen:
    """What the database tells of, and what it could not be told."""
    lost = [*assess_lost(read_all(settings.lost_polls))]
    try:
        with closing(connect_briefly(settings.require_database(), "edge-check")) as conn:
            signs = read_vital_signs(conn)
            health = assess(signs, lost)
            if settings.edge_feed is not Feed.ODDS_API:
                return Seen(health)
            return Seen(health, foresee(read_credit_use(conn, settings.edge_feed, signs.now), signs.now))
    except (psycopg.Error, MissingSettingError) as error:
        return Seen(without_database(str(error).strip(), lost))


def _evaluation(asset: AssetKey, seen: Seen) -> AssetCheckEvaluation:
    health = seen.health
    return AssetCheckEvaluation(
        asset_key=asset,
        check_name=NAME,
        passed=health.status == "ok",
        severity=_severity(health),
        metadata=_metadata(seen),
        description=health.headline,
    )


def _severity(health: Health) -> AssetCheckSeverity:
    return AssetCheckSeverity.ERROR if health.status == "down" else AssetCheckSeverity.WARN


def _metadata(seen: Seen) -> dict[str, MetadataValue]:
    """Dagster takes an empty table only with its columns."""
    health, outlook = seen
    schema = TableSchema([TableColumn(name) for name in COLUMNS])
    return {
        **({"credits": MetadataValue.text(outlook.sentence)} if outlook else {}),
        "problems": MetadataValue.int(sum(f.severity is not Severity.NOTE for f in health.findings)),
        "what is wrong": MetadataValue.table([_row(finding) for finding in health.findings], schema),
    }


def _row(finding: Finding) -> TableRecord:
    remedy = finding.remedy
    values = (finding.severity.value, finding.subject, remedy.meaning, finding.detail, remedy.action)
    return TableRecord(dict(zip(COLUMNS, values, strict=True)))
