"""The code location `ingest`."""

from __future__ import annotations

from dagster import Definitions, definitions

from edge_assets.core.settings import Settings
from edge_assets.defs.ingest.assets import build_odds_assets
from edge_assets.defs.ingest.health import health_sensor, product_health
from edge_assets.defs.ingest.jobs import build_burst_job
from edge_assets.defs.ingest.resources import ClockResource, SettingsResource
from edge_assets.defs.ingest.results import results, results_agree, results_job, results_schedule
from edge_assets.defs.ingest.retention import retention_schedule
from edge_assets.defs.ingest.sensors import odds_burst_sensor
from edge_assets.defs.lineage import external_specs


@definitions
def ingest_definitions() -> Definitions:
    """The definitions for the configured sports (EDGE_SPORTS), the only setting read at load time."""
    sports = Settings().edge_sports
    return Definitions(
        assets=[build_odds_assets(sports), results, *external_specs(sports)],
        asset_checks=[results_agree, product_health],
        jobs=[build_burst_job(sports), results_job],
        schedules=[results_schedule, retention_schedule],
        sensors=[odds_burst_sensor, health_sensor],
        resources={"settings": SettingsResource(), "clock": ClockResource()},
    )
