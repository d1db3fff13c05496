"""What `edge down` does with Dagster's runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRunStatus, job, op
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from edge_assets.defs.run_termination import end_listed_runs, end_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dagster import DagsterRun

ENQUEUED, STARTING, STARTED, SUCCEEDED = (
    DagsterEventType.RUN_ENQUEUED,
    DagsterEventType.RUN_STARTING,
    DagsterEventType.RUN_START,
    DagsterEventType.RUN_SUCCESS,
)
ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ingest"), "repository"), "waiting")
"""What Dagster requires of a queued run."""
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


@op
def wait() -> None:
    """Do nothing: only its job's runs matter."""


@job
def waiting() -> None:
    wait()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def run_that(instance: DagsterInstance, *events: DagsterEventType) -> DagsterRun:
    """A run that has reached the last of the events."""
    run = instance.create_run_for_job(waiting, remote_job_origin=ORIGIN)
    for event in events:
        instance.report_dagster_event(DagsterEvent(event.value, run.job_name), run.run_id)
    return run


def test_no_run_fails_and_no_queued_run_is_lost(instance: DagsterInstance) -> None:
    queued = run_that(instance, ENQUEUED)
    starting = run_that(instance, ENQUEUED, STARTING)
    at_work = run_that(instance, ENQUEUED, STARTING, STARTED)
    over = run_that(instance, ENQUEUED, STARTING, STARTED, SUCCEEDED)
    with subprocess.Popen(SLEEPER) as process:
        end_runs(instance, [psutil.Process(process.pid)], timeout_seconds=30.0)
        assert not psutil.pid_exists(process.pid)
    became = {run.run_id: run.status for run in instance.get_runs()}
    assert became == {
        queued.run_id: DagsterRunStatus.QUEUED,
        starting.run_id: DagsterRunStatus.QUEUED,
        at_work.run_id: DagsterRunStatus.CANCELED,
        over.run_id: DagsterRunStatus.SUCCESS,
    }


def test_a_run_that_ends_by_itself_has_succeeded(instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_that(instance, ENQUEUED, STARTING, STARTED)

    def ends(*_: object, **__: object) -> None:
        instance.report_dagster_event(DagsterEvent(SUCCEEDED.value, run.job_name), run.run_id)

    monkeypatch.setattr(psutil, "wait_procs", ends)
    end_runs(instance, [], timeout_seconds=0.0)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is DagsterRunStatus.SUCCESS


def test_the_listed_runs_are_ended_once(instance: DagsterInstance, tmp_path: Path) -> None:
    run = run_that(instance, ENQUEUED, STARTING, STARTED)
    notice = tmp_path / "runs_to_end.json"
    end_listed_runs(notice, instance)
    assert instance.get_runs()[0].status is DagsterRunStatus.STARTED
    with subprocess.Popen(SLEEPER) as process:
        notice.write_text(json.dumps([process.pid, 2**22 + 1]))
        end_listed_runs(notice, instance)
        assert not psutil.pid_exists(process.pid)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is DagsterRunStatus.CANCELED
    assert not notice.exists()
