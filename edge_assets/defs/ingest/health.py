"""The product's health as a check, evaluated by a sensor: the same as `edge status`, without a process per check."""

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

from edge_assets.core.lost_polls import read_all
from edge_assets.core.settings import Feed, MissingSettingError, Settings
from edge_assets.defs.lineage import ALERTS
from edge_assets.health.assessment import assess_health, assess_lost_polls, assess_without_database
from edge_assets.health.credits import CreditForecast, forecast_credits
from edge_assets.health.issues import Health, HealthIssue
from edge_assets.health.remedies import Severity
from edge_assets.store.health.vital_signs import connect_with_timeout, load_health_snapshot
from edge_assets.store.polls.credit_use import load_credit_use

CHECK_NAME = "the_product_works"
DESCRIPTION = "Nothing keeps alerts from being raised and shown: the issues of `edge status`, with their remedies."
PROBLEM_COLUMNS = ("severity", "of", "problem", "detail", "what to do")


@asset_check(asset=ALERTS, name=CHECK_NAME, description=DESCRIPTION)
def product_health(settings: ResourceParam[Settings]) -> AssetCheckResult:
    """Assess the health now."""
    observed = load_health(settings)
    health = observed.health
    return AssetCheckResult(passed=health.status == "ok", severity=_severity(health), metadata=_metadata(observed))


@sensor(
    name="health_sensor",
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Evaluates the health check when the product's health has changed.",
)
def health_sensor(context: SensorEvaluationContext, settings: ResourceParam[Settings]) -> SensorResult | SkipReason:
    """Evaluate one tick; nothing is written while the issues stay the same."""
    observed = load_health(settings)
    health = observed.health
    state = json.dumps([health.status, *sorted(f"{f.kind} {f.subject}" for f in health.issues)])
    if state == context.cursor:
        return SkipReason(health.headline)
    return SensorResult(asset_events=[_evaluation(ALERTS, observed)], cursor=state, skip_reason=health.headline)


class ProductHealth(NamedTuple):
    """The product's health, and the credits of a metered feed."""

    health: Health
    credits: CreditForecast | None = None


def load_health(settings: Settings) -> ProductHealth:
    """The health from the database, and polls that it could not record."""
    lost = [*assess_lost_polls(read_all(settings.lost_polls))]
    try:
        with closing(connect_with_timeout(settings.require_database_url(), "edge-check")) as conn:
            signs = load_health_snapshot(conn)
            health = assess_health(signs, lost)
            if settings.edge_feed is not Feed.ODDS_API:
                return ProductHealth(health)
            return ProductHealth(
                health, forecast_credits(load_credit_use(conn, settings.edge_feed, signs.now), signs.now)
            )
    except (psycopg.Error, MissingSettingError) as error:
        return ProductHealth(assess_without_database(str(error).strip(), lost))


def _evaluation(asset: AssetKey, observed: ProductHealth) -> AssetCheckEvaluation:
    health = observed.health
    return AssetCheckEvaluation(
        asset_key=asset,
        check_name=CHECK_NAME,
        passed=health.status == "ok",
        severity=_severity(health),
        metadata=_metadata(observed),
        description=health.headline,
    )


def _severity(health: Health) -> AssetCheckSeverity:
    return AssetCheckSeverity.ERROR if health.status == "down" else AssetCheckSeverity.WARN


def _metadata(observed: ProductHealth) -> dict[str, MetadataValue]:
    """Health as metadata; Dagster requires columns for an empty table."""
    health, forecast = observed
    schema = TableSchema([TableColumn(name) for name in PROBLEM_COLUMNS])
    return {
        **({"credits": MetadataValue.text(forecast.summary)} if forecast else {}),
        "problems": MetadataValue.int(sum(f.severity is not Severity.NOTE for f in health.issues)),
        "what is wrong": MetadataValue.table([_row(finding) for finding in health.issues], schema),
    }


def _row(finding: HealthIssue) -> TableRecord:
    remedy = finding.remedy
    values = (finding.severity.value, finding.subject, remedy.meaning, finding.detail, remedy.action)
    return TableRecord(dict(zip(PROBLEM_COLUMNS, values, strict=True)))
