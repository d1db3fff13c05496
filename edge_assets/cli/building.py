"""A build of the warehouse in this process, and what a person sees of it."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from edge_assets.cli.application import err

if TYPE_CHECKING:
    from dagster import DagsterEvent, EventLogEntry, ExecuteInProcessResult
    from rich.progress import TaskID

JOB = "warehouse"
NAME = "edge warehouse build"
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STEPS = {
    "gate": "judging what is new",
    "warehouse_step": "building models",
    "prices": "pricing decisions, watching moves, rating teams",
    "pricing__book_weights": "weighing books",
}
"""What a step does, by the beginning of its name; dbt has one before the prices and one after."""
CLASS_NAME = re.compile(r"^(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*: ")
REASON_LINES = 3
QUOTED_QUERY = ("LINE ", "^")
"""Where PostgreSQL shows the place of an error."""


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a build: how many tables and views it made, the checks that failed, and why it was not finished."""

    made: int
    failed_checks: list[str]
    reason: str | None


class Watch:
    """Tells on the terminal what the run is at; a bar where there is one, a line a step where there is not."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._task: TaskID = self._bar.add_task("waiting", total=total)

    def hear(self, entry: EventLogEntry) -> None:
        """Take note of what the run says."""
        event = entry.dagster_event
        if event is None:
            if entry.level == logging.WARNING:  # errors are told at the end, as the reason
                self._bar.console.print(entry.user_message, style="yellow", markup=False, soft_wrap=True)
        elif event.is_step_start:
            self._begin(str(event.step_key))
        elif event.is_step_materialization and event.asset_key:
            self._bar.update(self._task, advance=1)

    def _begin(self, step: str) -> None:
        doing = next((text for name, text in STEPS.items() if step.startswith(name)), step)
        self._bar.update(self._task, description=doing)
        if not err.is_terminal:
            err.print(doing, markup=False)

    def __enter__(self) -> Watch:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def build_warehouse(database_url: str) -> Built:
    """Build everything that Dagster builds at night, when it is this process's turn."""
    os.environ |= {"DATABASE_URL": database_url, "DBT_QUIET": "true"}
    from dagster import DagsterInstance

    from edge_assets.defs.analytics.definitions import analytics
    from edge_assets.defs.analytics.turn import BUILDER_TAG

    job, run_id = analytics().resolve_job_def(JOB), str(uuid4())
    with DagsterInstance.ephemeral() as instance, Watch(len(job.asset_layer.selected_asset_keys)) as watch:
        instance.add_event_listener(run_id, watch.hear)
        done = job.execute_in_process(
            run_config=SILENT, instance=instance, raise_on_error=False, run_id=run_id, tags={BUILDER_TAG: NAME}
        )
    failed = [check.check_name for check in done.get_asset_check_evaluations() if not check.passed]
    made = len(done.get_asset_materialization_events())
    return Built(made, failed, None if done.success else _reason(done))


def _reason(done: ExecuteInProcessResult) -> str:
    """Why a build was not finished, in a sentence."""
    failures = (event for event in done.all_events if event.is_failure)
    event: DagsterEvent | None = next(failures, None)
    error: Any = getattr(event and event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return (event.message if event else None) or "it was interrupted"
    lines = [line.strip() for line in CLASS_NAME.sub("", error.message).strip().splitlines()]
    return " ".join([line for line in lines if line and not line.startswith(QUOTED_QUERY)][:REASON_LINES])
