"""Ends Dagster's runs together with the stack, without failing them or losing queued ones.

`edge down` writes a file that lists them. The daemon processes it on exit, when it launches nothing more: it has
Dagster loaded already, which is slow to import. `python -m edge_assets.defs.run_termination` processes a file that a
dead daemon has left.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter

from edge_assets.core.settings import HomeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dagster import DagsterRun

TERMINATE_TIMEOUT_SECONDS = 5.0
"""A burst ends between two polls, within a second or two; slower runs are terminated through Dagster."""
UNFINISHED_STATUSES = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
CANCEL_REASON = "the stack is stopped"


def end_runs(instance: DagsterInstance, processes: Sequence[psutil.Process], timeout_seconds: float) -> None:
    """Terminate the processes; cancel runs that they leave unfinished, and requeue those that had not started.

    A run that ends by itself meanwhile counts as successful.
    """
    records = instance.get_run_records(RunsFilter(statuses=list(UNFINISHED_STATUSES)))
    for record in records:
        instance.report_run_canceling(record.dagster_run, CANCEL_REASON)
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(processes, timeout=timeout_seconds)
    for record in records:
        run = instance.get_run_by_id(record.dagster_run.run_id)
        if run is None or run.is_finished:
            continue
        if record.start_time is None:
            _requeue(instance, run)
        else:
            instance.report_run_canceled(run, CANCEL_REASON)


def _requeue(instance: DagsterInstance, run: DagsterRun) -> None:
    """Requeue the run, as Dagster does when a code server is unreachable: the next daemon launches it."""
    event = DagsterEvent(DagsterEventType.RUN_ENQUEUED.value, run.job_name, message=f"{CANCEL_REASON}: requeued")
    instance.report_dagster_event(event, run.run_id)


def end_listed_runs(runs_file: Path, instance: DagsterInstance) -> bool:
    """End the runs listed in the file, if it exists, and remove it; whether it existed."""
    if not runs_file.exists():
        return False
    processes = []
    for pid in json.loads(runs_file.read_text()):
        with suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    end_runs(instance, processes, TERMINATE_TIMEOUT_SECONDS)
    runs_file.unlink()
    return True


def main() -> None:
    """Process the file that a dead daemon left, if there is one."""
    with DagsterInstance.get() as instance:
        end_listed_runs(HomeSettings().ending_runs_path, instance)


if __name__ == "__main__":
    main()
