"""When everything is built, and when only new data."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, build_schedule_context

from edge_assets.defs.analytics.definitions import analytics_definitions
from edge_assets.defs.analytics.schedules import (
    HOURLY_FRESHNESS,
    NIGHTLY_BUILD_HOUR_UTC,
    NIGHTLY_FRESHNESS,
    VIEW_KIND,
    is_materialized_since_night,
    keys_with_policy,
)
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.dbt_runner import compute_project_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOVES, WEIGHTS = AssetKey("line_moves"), AssetKey("book_weights")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def report_materialized(instance: DagsterInstance, *keys: AssetKey) -> None:
    for key in keys:
        instance.report_runless_asset_event(AssetMaterialization(key))


def next_night() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=24 - NIGHTLY_BUILD_HOUR_UTC)).replace(
        hour=NIGHTLY_BUILD_HOUR_UTC, minute=0, second=0, microsecond=0
    )


@pytest.mark.calendar
def test_a_night_is_done_once_all_nightly_assets_are_built(instance: DagsterInstance) -> None:
    keys, now = [MOVES, WEIGHTS], datetime.now(UTC)
    assert not is_materialized_since_night(instance, keys, now)
    report_materialized(instance, MOVES)
    assert not is_materialized_since_night(instance, keys, now)
    report_materialized(instance, WEIGHTS)
    assert is_materialized_since_night(instance, keys, now)


@pytest.mark.calendar
def test_the_next_night_is_due_from_its_hour_on(instance: DagsterInstance) -> None:
    report_materialized(instance, MOVES)
    night = next_night()
    assert is_materialized_since_night(instance, [MOVES], night - timedelta(microseconds=1))
    assert not any(is_materialized_since_night(instance, [MOVES], night + timedelta(hours=h)) for h in (0, 19, 20, 50))


def test_everything_is_requested_until_built_and_then_only_new_data(
    instance: DagsterInstance, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    definitions = analytics_definitions()
    specs = [spec for spec in definitions.resolve_all_asset_specs() if spec.freshness_policy]
    hourly, nightly = (set(keys_with_policy(specs, policy)) for policy in (HOURLY_FRESHNESS, NIGHTLY_FRESHNESS))
    views = {spec.key.path[-1] for spec in specs if VIEW_KIND in spec.kinds}
    assert {key.path[-1] for key in nightly} - views == {"book_quality", "int_book_pairs_compared", "book_weights"}
    assert {key.path[-1] for key in hourly} >= {"quarantined_ticks", "priced_quotes", "closing_lines"}

    def requested_assets() -> set[AssetKey] | None:
        at = datetime.now(UTC)
        with build_schedule_context(instance, scheduled_execution_time=at) as context:
            requests = definitions.resolve_schedule_def("warehouse_hourly").evaluate_tick(context).run_requests
        [request] = requests or ()
        return set(request.asset_selection) if request.asset_selection else None

    report_materialized(instance, *nightly)
    assert requested_assets() is None, "Dagster's records are of another database"
    with closing(connect(database_url, "test")) as conn:
        conn.execute("CREATE SCHEMA IF NOT EXISTS analytics")
        for view in views:
            conn.execute(f"CREATE VIEW analytics.{view} AS SELECT 1")
            conn.execute(f"COMMENT ON VIEW analytics.{view} IS '{compute_project_version()}'")
        assert requested_assets() == hourly
        conn.execute("COMMENT ON VIEW analytics.line_moves IS 'another version'")
        assert requested_assets() is None


def test_a_version_covers_all_source_files(tmp_path: Path) -> None:
    for name in ("dbt_project.yml", "models/a.sql", "macros/b.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    versions = {compute_project_version(tmp_path)}
    for name in ("dbt_project.yml", "models/a.sql", "macros/b.sql"):
        (tmp_path / name).write_text("changed")
        versions.add(compute_project_version(tmp_path))
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text("{}")
    assert len(versions | {compute_project_version(tmp_path)}) == 4
