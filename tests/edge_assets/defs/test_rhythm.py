"""When everything is built, and when only what is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, RunRequest, build_schedule_context

from edge_assets.defs.analytics.definitions import analytics
from edge_assets.defs.analytics.rhythm import HOURLY, NIGHT, NIGHTLY, whole_is_due

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dagster import AssetSpec

VIEW, WEIGHTS = AssetKey("view"), AssetKey("weights")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def made(instance: DagsterInstance, key: AssetKey, version: str | None = None) -> None:
    """As a run would: of an asset without a version of its code, Dagster keeps the run's id for one."""
    tags = {"dagster/code_version": version or "7db59908"}
    instance.report_runless_asset_event(AssetMaterialization(key, tags=tags))


def next_night() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=24 - NIGHT)).replace(hour=NIGHT, minute=0, second=0, microsecond=0)


def test_a_whole_build_is_due_until_all_that_waits_for_it_is_made(instance: DagsterInstance) -> None:
    nightly, now = {VIEW: "1", WEIGHTS: None}, datetime.now(UTC)
    assert whole_is_due(instance, nightly, now)
    made(instance, VIEW, "1")
    assert whole_is_due(instance, nightly, now)
    made(instance, WEIGHTS)
    assert not whole_is_due(instance, nightly, now)


def test_the_next_is_due_from_the_next_night_on_however_late_it_comes(instance: DagsterInstance) -> None:
    made(instance, VIEW, "1")
    night = next_night()
    assert not whole_is_due(instance, {VIEW: "1"}, night - timedelta(microseconds=1))
    assert all(whole_is_due(instance, {VIEW: "1"}, night + timedelta(hours=h)) for h in (0, 19, 20, 50))


def test_new_code_does_not_wait_for_the_night(instance: DagsterInstance) -> None:
    made(instance, VIEW, "1")
    assert whole_is_due(instance, {VIEW: "2"}, datetime.now(UTC))


def test_the_schedule_asks_for_everything_once_and_for_what_is_new_in_the_hours_after(
    instance: DagsterInstance,
) -> None:
    definitions = analytics()
    schedule = definitions.resolve_schedule_def("warehouse_hourly")

    def asked() -> RunRequest:
        with build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)) as context:
            requests = schedule.evaluate_tick(context).run_requests
        assert requests is not None
        [request] = requests
        return request

    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs() if spec.freshness_policy}
    assert asked().asset_selection is None
    for key, spec in specs.items():
        made(instance, key, spec.code_version)
    assert set(asked().asset_selection or ()) == of(specs, HOURLY)
    assert {key.path[-1] for key in of(specs, NIGHTLY)} >= {"line_moves", "book_quality", "book_weights"}
    assert {key.path[-1] for key in of(specs, HOURLY)} >= {"quarantined_ticks", "priced_quotes", "closing_lines"}


def of(specs: dict[AssetKey, AssetSpec], policy: object) -> set[AssetKey]:
    return {key for key, spec in specs.items() if spec.freshness_policy == policy}
