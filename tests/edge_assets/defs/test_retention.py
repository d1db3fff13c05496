"""The cleanup job: old odds, Dagster's own runs with their logs, Data Docs pages."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckResult,
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    asset,
    asset_check,
    define_asset_job,
)

from edge_assets.defs.ingest.definitions import ingest_definitions
from edge_assets.defs.ingest.old_runs import delete_old_runs
from edge_assets.defs.ingest.retention import delete_old_pages
from edge_assets.store.postgres.database import connect
from tests.edge_assets.defs.test_dagster import instance

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["instance"]

LATER = timedelta(days=1)
"""Test runs are made now; seen from tomorrow they are old."""


@asset
def prices() -> None:
    """An asset that is materialized repeatedly."""
    return


@asset_check(asset=prices)
def plausible() -> AssetCheckResult:
    """Its check."""
    return AssetCheckResult(passed=True)


JOB = define_asset_job("made_hourly")
DEFINITIONS = Definitions([prices], asset_checks=[plausible], jobs=[JOB])


def test_old_automatic_runs_are_deleted_with_their_logs(instance: DagsterInstance) -> None:
    job = DEFINITIONS.resolve_job_def("made_hourly")
    by_schedule = {"dagster/schedule_name": "hourly"}
    runs = [job.execute_in_process(instance=instance, tags=tags).run_id for tags in ({}, by_schedule, by_schedule)]
    by_hand, old, last = runs
    assert set(runs) <= set(os.listdir(instance.storage_directory())), "compute logs"
    assert delete_old_runs(instance, datetime.now(UTC) - LATER)["runs"] == 0

    gone = delete_old_runs(instance, datetime.now(UTC) + LATER)

    assert gone == {"runs": 1, "check executions": 2, "events without a run": 0}
    assert {run.run_id for run in instance.get_runs()} == {by_hand, last}
    assert not instance.all_logs(old)
    assert sorted(path for path in os.listdir(instance.storage_directory()) if path in runs) == sorted([by_hand, last])
    assert instance.get_latest_materialization_event(AssetKey("prices")) is not None


def test_the_last_runless_event_of_each_asset_is_kept(instance: DagsterInstance) -> None:
    for _ in range(3):
        instance.report_runless_asset_event(AssetMaterialization("prices"))
    instance.report_runless_asset_event(AssetMaterialization("others"))

    assert delete_old_runs(instance, datetime.now(UTC) + LATER)["events without a run"] == 2

    for key in ("prices", "others"):
        assert len(instance.fetch_materializations(AssetKey(key), limit=5).records) == 1


def test_old_pages_are_deleted_and_new_ones_kept(tmp_path: Path) -> None:
    for name in ("odds_ticks/monday/old.html", "odds_ticks/tuesday/new.html"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("page")
    before = datetime(2026, 11, 30, tzinfo=UTC)
    os.utime(tmp_path / "odds_ticks/monday/old.html", (before.timestamp() - 1,) * 2)
    os.utime(tmp_path / "odds_ticks/tuesday/new.html", (before.timestamp() + 1,) * 2)

    assert delete_old_pages(tmp_path, before) == 1

    assert [path.name for path in (tmp_path / "odds_ticks").iterdir()] == ["tuesday"]
    assert delete_old_pages(tmp_path / "not there", before) == 0


def test_the_job_runs_for_every_feed_and_reports_what_it_deleted(
    instance: DagsterInstance, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_FEED", "simulate")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EDGE_HOME", str(tmp_path))

    done = ingest_definitions().resolve_job_def("retention").execute_in_process(instance=instance)

    assert done.dagster_run.status is DagsterRunStatus.SUCCESS
    reported = [event for event in done.all_events if event.event_type is DagsterEventType.STEP_OUTPUT]
    assert {"runs", "pages of Data Docs"} <= set().union(*(event.step_output_data.metadata for event in reported))
    with connect(database_url, "test") as conn:
        assert conn.execute("SELECT count(*) > 0 FROM size_measurements").fetchone() == (True,)
