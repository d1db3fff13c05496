"""dbt through Dagster, on a database that a burst has filled."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dagster import DagsterEventType, DagsterInstance

from edge_assets.defs.analytics.definitions import analytics_definitions
from edge_assets.defs.analytics.project import prepare_project
from edge_assets.defs.analytics.schedules import HOURLY_FRESHNESS, VIEW_KIND, keys_with_policy
from edge_assets.defs.lineage import IMPORT_ASSETS
from edge_assets.ingestion.burst import BurstRequest, run_burst
from edge_assets.store.analytics.views import load_views_of_version
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.dbt_runner import PROJECT_DIR, compute_project_version, connection_variables
from tests.support.replayed_feed import NFL, Feeding, rows, settings_for

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from dagster import AssetKey, ExecuteInProcessResult

    from edge_assets.ingestion.report import SportReport

pytestmark = pytest.mark.untraced


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dagster_dbt uses dagster's old names
def test_the_warehouse_counts_what_the_bursts_polled(
    database_url: str, redis_url: str, feed: Feeding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_for(database_url, redis_url, feed.url, NFL)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EDGE_HOME", str(tmp_path))
    everything = analytics_definitions().resolve_asset_graph().materializable_asset_keys - set(IMPORT_ASSETS.values())
    specs = analytics_definitions().resolve_all_asset_specs()
    hourly = set(keys_with_policy(specs, HOURLY_FRESHNESS))
    reports = []
    for run, selected in (("r1", everything), ("r2", hourly)):
        reports += asyncio.run(run_burst(BurstRequest(run, (NFL,), 3.0, 0.0), settings))
        result = build_assets(selected)
        assert {event.asset_key for event in result.get_asset_materialization_events()} == selected
        assert all(check.passed for check in result.get_asset_check_evaluations())
        assert stored_counts(database_url) == tuple(map(sum, zip(*map(reported_counts, reports), strict=True)))
    assert steps(result)[::2] == ["gate", "prices"]
    assert len(steps(result)) == 4, "dbt runs twice: views left to the nightly build do not split their readers"
    with closing(connect(database_url, "test")) as conn:
        assert load_views_of_version(conn, compute_project_version()) == {
            s.key.path[-1] for s in specs if VIEW_KIND in s.kinds
        }


def build_assets(selected: AbstractSet[AssetKey]) -> ExecuteInProcessResult:
    with DagsterInstance.ephemeral() as instance:
        job = analytics_definitions().resolve_job_def("warehouse")
        return job.execute_in_process(instance=instance, asset_selection=sorted(selected))


def steps(result: ExecuteInProcessResult) -> list[str]:
    return [str(event.step_key) for event in result.all_events if event.event_type == DagsterEventType.STEP_START]


def reported_counts(report: SportReport) -> tuple[int, ...]:
    """The report of a burst, in the columns of `poll_health`."""
    changed = report.rows - report.withdrawals
    return report.polls, report.quotes_seen, changed, report.withdrawals, report.credits_used or 0


def stored_counts(database_url: str) -> tuple[int, ...]:
    [(sport, *found)] = rows(
        database_url, "SELECT sport, polls, quotes_seen, ticks, withdrawals, credits_spent FROM analytics.poll_health"
    )
    assert sport == NFL
    return tuple(map(int, found))


def test_dbt_gets_the_parts_of_the_database_url_and_hides_the_password() -> None:
    assert connection_variables("postgresql://edge:s3cret@db:5433/edge") == {
        "DBT_HOST": "db",
        "DBT_PORT": "5433",
        "DBT_USER": "edge",
        "DBT_ENV_SECRET_PASSWORD": "s3cret",
        "DBT_DBNAME": "edge",
    }


def test_the_manifest_is_rebuilt_when_a_model_is_newer() -> None:
    manifest = prepare_project().manifest_path
    os.utime(manifest, (0, 0))
    assert prepare_project(PROJECT_DIR).manifest_path.stat().st_mtime > 0
