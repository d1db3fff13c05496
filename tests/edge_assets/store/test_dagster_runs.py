"""The last word of each job, from Dagster's own tables, which Dagster makes."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._grpc import impl

from edge_assets.store.health.dagster_runs import RunProcess, load_last_runs, load_run_processes
from edge_assets.store.postgres.database import connect, ensure_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers.postgres import PostgresServer

STORAGE = """
storage:
  postgres:
    postgres_url: {url}
telemetry:
  enabled: false
"""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return ensure_database(postgres_server.url, f"dagster_{time.time_ns()}")


@pytest.fixture
def instance(url: str, tmp_path: Path) -> Iterator[DagsterInstance]:
    """One whose runs are in a database of its own."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(STORAGE.format(url=url.replace("postgresql://", "postgresql+psycopg2://")))
    with DagsterInstance.from_config(str(home)) as instance:
        yield instance


def run(instance: DagsterInstance, job: str, status: DagsterRunStatus) -> str:
    return instance.add_run(DagsterRun(job_name=job, status=status)).run_id


def test_a_failure_counts_until_a_later_run_succeeds(instance: DagsterInstance, url: str) -> None:
    run(instance, "odds_burst", DagsterRunStatus.SUCCESS)
    failed = run(instance, "odds_burst", DagsterRunStatus.FAILURE)
    run(instance, "odds_burst", DagsterRunStatus.NOT_STARTED)
    run(instance, "results", DagsterRunStatus.FAILURE)
    run(instance, "results", DagsterRunStatus.CANCELED)
    run(instance, "results", DagsterRunStatus.SUCCESS)
    with connect(url, "test") as conn:
        assert {state.job: (state.is_failure, state.run_id == failed) for state in load_last_runs(conn)} == {
            "odds_burst": (True, True),
            "results": (False, False),
        }
        run(instance, "odds_burst", DagsterRunStatus.SUCCESS)
        assert not any(state.is_failure for state in load_last_runs(conn))


def test_the_processes_of_runs_in_flight(instance: DagsterInstance, url: str) -> None:
    """In the words of Dagster's own code server, which a newer Dagster may change."""
    assert '"Started process for run (pid: {pid})."' in inspect.getsource(impl)
    runs = [DagsterRun(job_name="odds_burst", status=DagsterRunStatus.STARTED) for _ in range(2)]
    runs.append(DagsterRun(job_name="results", status=DagsterRunStatus.SUCCESS))
    for pid, of in enumerate(runs, 41):
        instance.add_run(of)
        if pid != 42:
            instance.report_engine_event(f"Started process for run (pid: {pid}).", of)
        instance.report_engine_event("Another event.", of)
    with connect(url, "test") as conn:
        assert load_run_processes(conn) == [RunProcess("odds_burst", runs[0].run_id, 41)]
