"""dbt through Dagster, on a database that a burst has filled."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from dagster import DagsterInstance

from edge_assets.defs.analytics.definitions import analytics
from edge_assets.defs.analytics.project import prepared_project
from edge_assets.defs.lineage import HISTORY
from edge_assets.ingestion.burst import BurstOrder, run_burst
from edge_assets.warehouse.project import PROJECT_DIR, connection_variables
from tests.edge_assets.ingestion.services import NFL, Feeding, rows, settings_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dagster_dbt uses dagster's old names
def test_the_warehouse_counts_what_the_bursts_polled(
    database_url: str, redis_url: str, feed: Feeding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_for(database_url, redis_url, feed.url, NFL)
    [report] = asyncio.run(run_burst(BurstOrder("r1", (NFL,), 3.0, 0.0), settings))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EDGE_HOME", str(tmp_path))
    with DagsterInstance.ephemeral() as instance:
        result = analytics().resolve_job_def("warehouse").execute_in_process(instance=instance)
    built = {event.asset_key for event in result.get_asset_materialization_events()}
    assert built == analytics().resolve_asset_graph().materializable_asset_keys - set(HISTORY.values())
    assert all(check.passed for check in result.get_asset_check_evaluations())
    [health] = rows(
        database_url, "SELECT sport, polls, quotes_seen, ticks, withdrawals, credits_spent FROM analytics.poll_health"
    )
    changed = report.rows - report.withdrawals
    assert health == (
        NFL,
        report.polls,
        report.quotes_seen,
        changed,
        report.withdrawals,
        report.credits_used,
    )


def test_dbt_gets_the_parts_of_the_database_url_and_hides_the_password() -> None:
    assert connection_variables("postgresql://edge:s3cret@db:5433/edge") == {
        "DBT_HOST": "db",
        "DBT_PORT": "5433",
        "DBT_USER": "edge",
        "DBT_ENV_SECRET_PASSWORD": "s3cret",
        "DBT_DBNAME": "edge",
    }


def test_the_manifest_is_made_anew_when_a_model_is_newer() -> None:
    manifest = prepared_project().manifest_path
    os.utime(manifest, (0, 0))
    assert prepared_project(PROJECT_DIR).manifest_path.stat().st_mtime > 0
