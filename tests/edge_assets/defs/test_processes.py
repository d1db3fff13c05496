"""Dagster's code server knows a run's process before it has imported anything, and as long as it lives."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun, job, op
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import ExecuteExternalJobArgs

from edge_assets.defs.ingest.processes import has_process
from edge_assets.ingestion.cadence import CreditBudget, FeedTerms
from edge_assets.ingestion.planning import Burst, SportState, plan_burst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.untraced

SLEEPER = """
import time
from dagster import Definitions, job, op
@op
def sleep():
    time.sleep(600)
@job
def sleeper():
    sleep()
defs = Definitions(jobs=[sleeper])
"""


@op
def sleep() -> None:
    """The op of the same name on the code server."""


@job
def sleeper() -> None:
    """The job of the same name."""
    sleep()


@contextmanager
def serving(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "sleeper.py").write_text(SLEEPER)
    server = ("dagster", "api", "grpc", "--socket", "code.sock", "--python-file", "sleeper.py")
    process = subprocess.Popen([sys.executable, "-m", *server], cwd=folder)
    try:
        yield process
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """A machine that is busy."""
    others = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.chaos
def test_no_run_is_marked_dead_while_its_process_lives(tmp_path: Path) -> None:
    """From its launch, through an import of any length, until it is killed."""
    socket = str(tmp_path / "code.sock")
    with DagsterInstance.local_temp(str(tmp_path)) as instance, serving(tmp_path) as server:
        until((tmp_path / "code.sock").exists)
        origin = GrpcServerCodeLocationOrigin(host="localhost", socket=socket)
        job_origin = RemoteJobOrigin(RemoteRepositoryOrigin(origin, "__repository__"), "sleeper")
        tags = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": socket})}
        run = instance.create_run_for_job(sleeper, tags=tags)
        assert has_process(run) is False
        launch = ExecuteExternalJobArgs(job_origin=job_origin, run_id=run.run_id, instance_ref=instance.get_ref())
        with busy(5), ThreadPoolExecutor(1) as pool:
            launched = pool.submit(DagsterGrpcClient(socket=socket).start_run, launch)
            until(lambda: has_process(run) is True)
            while not launched.done():
                assert has_process(run) is not False
                assert _is_waited_for(run.run_id, has_process(run))
                time.sleep(0.2)
        assert has_process(run) is True, "regardless of any startup timeout"
        for child in psutil.Process(server.pid).children(recursive=True):
            child.kill()
        until(lambda: has_process(run) is False)
        assert not _is_waited_for(run.run_id, has_process(run))
    assert has_process(run) is None, "an unreachable code server knows nothing"


def _is_waited_for(run_id: str, process: bool | None) -> bool:
    """Plan as if the run had been launched an hour ago."""
    now = datetime.now(UTC)
    run = Burst(run_id, frozenset({"nfl"}), now - timedelta(hours=1), process)
    budget = CreditBudget(None, now + timedelta(days=9))
    return not plan_burst(now, [SportState("nfl")], [run], FeedTerms(is_metered=False), budget).dead_runs


def test_a_run_without_a_code_server_is_unknown() -> None:
    assert has_process(DagsterRun("odds_burst")) is None
