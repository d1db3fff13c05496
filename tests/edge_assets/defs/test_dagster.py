"""Sensor, job and instance against the real thing: PostgreSQL storage, run processes, a feed over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from edge_assets.defs.ingest.definitions import ingest_definitions
from edge_assets.defs.ingest.health import health_sensor
from edge_assets.defs.ingest.resources import ClockResource, SettingsResource
from edge_assets.defs.ingest.sensors import odds_burst_sensor
from edge_assets.ingestion import planning
from edge_assets.store.health.problems import ProblemKind, report_problem
from edge_assets.store.postgres.database import connect, ensure_database
from tests.support.replayed_feed import EPL, NFL, Feeding, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgres import PostgresServer

ROOT = Path(__file__).parents[3]
RUN = """
import sys
from dagster import DagsterInstance
from edge_assets.defs.ingest.definitions import ingest_definitions
with DagsterInstance.from_config(sys.argv[1]) as instance:
    ingest_definitions().resolve_job_def("odds_burst").execute_in_process(instance=instance)
"""


@pytest.fixture
def instance(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DagsterInstance]:
    """The project's own `dagster.yaml` in a temporary home."""
    url = ensure_database(postgres_server.url, f"dagster_{time.time_ns()}")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url.replace("postgresql://", "postgresql+psycopg2://"))
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def environment(database_url: str, redis_url: str, feed: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that `edge up` gives to every process."""
    monkeypatch.setenv("EDGE_FEED", "replay")
    monkeypatch.setenv("EDGE_SPORTS", f"{NFL},{EPL}")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ODDS_API_URL", f"{feed.url}/v4")


def tick(instance: DagsterInstance) -> SensorResult | SkipReason:
    resources = {"settings": SettingsResource(), "clock": ClockResource()}
    result = odds_burst_sensor(build_sensor_context(instance=instance, resources=resources))
    assert isinstance(result, SensorResult | SkipReason)
    return result


def requested_assets(result: SensorResult | SkipReason) -> set[AssetKey]:
    assert isinstance(result, SensorResult), result
    [request] = result.run_requests or []
    return set(request.asset_selection or ())


def skip_message(result: SensorResult | SkipReason) -> str:
    reason = result if isinstance(result, SkipReason) else result.skip_reason
    assert reason is not None
    return str(reason.skip_message)


def test_the_instance_has_the_measured_settings(instance: DagsterInstance) -> None:
    assert instance.run_coordinator.dequeue_interval_seconds == 1  # type: ignore[attr-defined]
    assert instance.run_coordinator.dequeue_use_threads  # type: ignore[attr-defined]
    assert instance.run_monitoring_enabled
    assert not instance.telemetry_enabled
    assert "postgres" in type(instance.run_storage).__module__


def test_a_burst_materialises_each_selected_sport(instance: DagsterInstance, environment: None) -> None:
    result = (
        ingest_definitions()
        .resolve_job_def("odds_burst")
        .execute_in_process(
            instance=instance,
            asset_selection=[AssetKey(["odds", NFL])],
            run_config={"ops": {"odds_burst_step": {"config": {"duration_seconds": 2.0, "grace_seconds": 0.0}}}},
        )
    )
    [event] = result.get_asset_materialization_events()
    assert event.asset_key == AssetKey(["odds", NFL])
    metadata = event.materialization.metadata
    assert int(str(metadata["polls"].value)) > 0
    assert {"rows", "changed", "withdrawals", "credits_used", "latency_p50_ms", "latency_p95_ms"} <= set(metadata)


def test_the_health_is_evaluated_when_it_changes(
    instance: DagsterInstance, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EDGE_FEED", "odds-api")

    def make_poll(cursor: str | None) -> SensorResult | SkipReason:
        context = build_sensor_context(instance=instance, cursor=cursor, resources={"settings": SettingsResource()})
        result = health_sensor(context)
        assert isinstance(result, SensorResult | SkipReason)
        return result

    def has_passed(result: SensorResult | SkipReason) -> bool:
        assert isinstance(result, SensorResult), result
        [evaluation] = result.asset_events
        assert isinstance(evaluation, AssetCheckEvaluation)
        assert "credits" in evaluation.metadata
        return evaluation.passed

    well = make_poll(None)
    assert has_passed(well)
    assert isinstance(well, SensorResult)
    assert isinstance(make_poll(well.cursor), SkipReason)
    with closing(connect(database_url, "test")) as conn:
        report_problem(conn, ProblemKind.FEED_UNREACHABLE, "", "refused")
    assert not has_passed(make_poll(well.cursor))


def test_a_tick_requests_what_is_due_or_states_why_not(
    instance: DagsterInstance, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert requested_assets(tick(instance)) == {AssetKey(["odds", NFL]), AssetKey(["odds", EPL])}
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nowhere")
    assert "does not answer" in skip_message(tick(instance))
    monkeypatch.delenv("DATABASE_URL")
    assert "DATABASE_URL is not set" in skip_message(tick(instance))
    monkeypatch.setenv("EDGE_FEED", "odds-api")
    assert "ODDS_API_KEY is not set" in skip_message(tick(instance))


def test_a_killed_run_is_replaced_by_the_next_tick_and_marked(
    instance: DagsterInstance,
    environment: None,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        deadline = time.monotonic() + 240  # a busy machine imports for minutes
        while len(rows(database_url, "SELECT 1 FROM leases")) < 2:
            assert time.monotonic() < deadline
            assert run.poll() is None
            time.sleep(0.1)
        assert "held by burst" in skip_message(tick(instance))
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    started = [r.dagster_run for r in instance.get_run_records()]
    assert [r.status for r in started] == [DagsterRunStatus.STARTED]
    time.sleep(0.5)
    assert requested_assets(tick(instance)) == {AssetKey(["odds", NFL]), AssetKey(["odds", EPL])}
    monkeypatch.setattr(planning, "MAX_HEARTBEAT_AGE", timedelta(0))
    requested_assets(tick(instance))
    assert [r.dagster_run.status for r in instance.get_run_records()] == [DagsterRunStatus.FAILURE]
    failure = instance.all_logs(started[0].run_id, of_type=DagsterEventType.RUN_FAILURE)
    assert "its process is gone" in str(failure[0].dagster_event and failure[0].dagster_event.message)
    with closing(connect(database_url, "test")) as connection:
        assert connection.execute("SELECT count(*) FROM polls").fetchone() != (0,)
