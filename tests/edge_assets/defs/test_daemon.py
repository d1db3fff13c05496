"""Dagster's own loops after a clock that was ahead has been set back."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from dagster import (
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    ScheduleDefinition,
    SensorEvaluationContext,
    SkipReason,
    job,
    sensor,
)
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

from edge_assets.defs.daemon import reset_future_times
from tests.edge_assets.defs.test_dagster import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster import DagsterInstance

__all__ = ["instance"]

pytestmark = pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")
HOUR = timedelta(hours=1)
LOG = logging.getLogger("test")


@job
def nothing() -> None:
    """Do nothing."""


@sensor(minimum_interval_seconds=5, default_status=DefaultSensorStatus.RUNNING, job=nothing)
def idle_sensor(_: SensorEvaluationContext) -> SkipReason:
    """Ticks."""
    return SkipReason("nothing to do")


minutely = ScheduleDefinition(
    name="minutely", job=nothing, cron_schedule="* * * * *", default_status=DefaultScheduleStatus.RUNNING
)
definitions = Definitions(jobs=[nothing], sensors=[idle_sensor], schedules=[minutely])


class ThisModule(WorkspaceLoadTarget):
    """The definitions above."""

    def create_origins(self) -> list[InProcessCodeLocationOrigin]:
        loadable = LoadableTargetOrigin(
            executable_path=sys.executable, python_file=__file__, attribute="definitions", working_directory="."
        )
        return [InProcessCodeLocationOrigin(loadable, location_name="here")]


@pytest.fixture
def workspace(instance: DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    with WorkspaceProcessContext(instance, ThisModule()) as context:
        yield context


def ticks(workspace: WorkspaceProcessContext, name: str) -> int:
    """The number of ticks after Dagster has evaluated again, at the machine's time."""
    list(execute_sensor_iteration(workspace, LOG, None, None))
    list(launch_scheduled_runs(workspace, LOG, datetime.now(UTC), {}))
    [state] = [state for state in workspace.instance.all_instigator_state() if state.name == name]
    return len(workspace.instance.get_ticks(state.instigator_origin_id, state.selector_id))


@pytest.mark.parametrize("name", ["idle_sensor", "minutely"])
def test_a_sensor_or_schedule_ahead_of_now_ticks_again(workspace: WorkspaceProcessContext, name: str) -> None:
    ahead, past = datetime.now(UTC) + HOUR, datetime.now(UTC) - timedelta(minutes=2)
    was = ticks(workspace, name)
    for state in workspace.instance.all_instigator_state():
        data = state.instigator_data
        assert data is not None
        times: dict[str, Any] = dict.fromkeys(
            (field for field in data._fields if field.endswith("_timestamp")), ahead.timestamp()
        )
        workspace.instance.update_instigator_state(state.with_data(data._replace(**times)))
        for tick in workspace.instance.get_ticks(state.instigator_origin_id, state.selector_id):
            workspace.instance.update_tick(tick.with_status(tick.status, timestamp=ahead.timestamp()))
    assert ticks(workspace, name) == was
    assert reset_future_times(workspace.instance, past) == ["idle_sensor", "minutely"]
    assert ticks(workspace, name) == was + 1
    assert reset_future_times(workspace.instance, datetime.now(UTC)) == []
