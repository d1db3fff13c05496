"""Builds the warehouse in this process, and shows progress."""

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

WAREHOUSE_JOB = "warehouse"
BUILDER_NAME = "edge warehouse build"
SILENT_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STEP_DESCRIPTIONS = {
    "gate": "checking new prices",
    "warehouse_step": "building models",
    "prices": "pricing decision points, detecting line moves, rating teams",
    "pricing__book_weights": "computing book weights",
}
"""What a step does, by the prefix of its name; dbt runs before and after the prices."""
EXCEPTION_CLASS = re.compile(r"^(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*: ")
MAX_REASON_LINES = 3
QUERY_LINE_PREFIXES = ("LINE ", "^")
"""Lines of a PostgreSQL error that show its position."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How many tables and views were built, the checks that failed, and why the build failed, if it did."""

    tables_built: int
    failed_checks: list[str]
    reason: str | None


class BuildProgress:
    """Shows the progress of a run: as a bar on a terminal, otherwise as one line per step."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._task: TaskID = self._bar.add_task("waiting", total=total)

    def handle_event(self, entry: EventLogEntry) -> None:
        """Handle an event of the run."""
        event = entry.dagster_event
        if event is None:
            if entry.level == logging.WARNING:  # errors are reported at the end, as the reason
                self._bar.console.print(entry.user_message, style="yellow", markup=False, soft_wrap=True)
        elif event.is_step_start:
            self._show_step(str(event.step_key))
        elif event.is_step_materialization and event.asset_key:
            self._bar.update(self._task, advance=1)

    def _show_step(self, step: str) -> None:
        description = next((text for name, text in STEP_DESCRIPTIONS.items() if step.startswith(name)), step)
        self._bar.update(self._task, description=description)
        if not err.is_terminal:
            err.print(description, markup=False)

    def __enter__(self) -> BuildProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def build_warehouse(database_url: str) -> BuildResult:
    """Build everything that Dagster builds nightly; waits while another build is running."""
    os.environ |= {"DATABASE_URL": database_url, "DBT_QUIET": "true"}
    from dagster import DagsterInstance

    from edge_assets.defs.analytics.build_lock import BUILDER_TAG
    from edge_assets.defs.analytics.definitions import analytics_definitions

    job, run_id = analytics_definitions().resolve_job_def(WAREHOUSE_JOB), str(uuid4())
    with DagsterInstance.ephemeral() as instance, BuildProgress(len(job.asset_layer.selected_asset_keys)) as progress:
        instance.add_event_listener(run_id, progress.handle_event)
        result = job.execute_in_process(
            run_config=SILENT_RUN_CONFIG,
            instance=instance,
            raise_on_error=False,
            run_id=run_id,
            tags={BUILDER_TAG: BUILDER_NAME},
        )
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    built = len(result.get_asset_materialization_events())
    return BuildResult(built, failed, None if result.success else _failure_reason(result))


def _failure_reason(result: ExecuteInProcessResult) -> str:
    """Why a build failed, in one sentence."""
    failures = (event for event in result.all_events if event.is_failure)
    event: DagsterEvent | None = next(failures, None)
    error: Any = getattr(event and event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return (event.message if event else None) or "interrupted"
    lines = [line.strip() for line in EXCEPTION_CLASS.sub("", error.message).strip().splitlines()]
    return " ".join([line for line in lines if line and not line.startswith(QUERY_LINE_PREFIXES)][:MAX_REASON_LINES])
