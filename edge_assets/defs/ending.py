"""Ends Dagster's runs with the stack that they run in: none of them has failed, and none that waits is lost.

    python -m edge_assets.defs.ending PID...

A process of its own beside `edge down`, because its imports take longer than all the rest. It begins when it can read
a line: once the daemon launches nothing more. `PID`s are the runs' processes.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagster import DagsterRun

PATIENCE_SECONDS = 5.0
"""A burst ends between two polls, within a second or two; whatever takes longer is interrupted by Dagster's means."""
UNFINISHED = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
WHY = "the stack is stopped"


def end_runs(instance: DagsterInstance, processes: Sequence[psutil.Process], patience: float) -> None:
    """Ask the processes to end; cancel what they leave unfinished, and put back what had not begun.

    A run that ends by itself meanwhile has succeeded.
    """
    records = instance.get_run_records(RunsFilter(statuses=list(UNFINISHED)))
    for record in records:
        instance.report_run_canceling(record.dagster_run, WHY)
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(processes, timeout=patience)
    for record in records:
        run = instance.get_run_by_id(record.dagster_run.run_id)
        if run is None or run.is_finished:
            continue
        if record.start_time is None:
            _put_back(instance, run)
        else:
            instance.report_run_canceled(run, WHY)


def _put_back(instance: DagsterInstance, run: DagsterRun) -> None:
    """Into the queue, as Dagster itself does where a code server is away: the next daemon launches it."""
    event = DagsterEvent(DagsterEventType.RUN_ENQUEUED.value, run.job_name, message=f"{WHY}: back into the queue")
    instance.report_dagster_event(event, run.run_id)


def main() -> None:
    """Wait for the line, then end the runs."""
    processes = []
    for pid in map(int, sys.argv[1:]):
        with suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    sys.stdin.readline()
    with DagsterInstance.get() as instance:
        end_runs(instance, processes, PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
