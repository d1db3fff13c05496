"""The state of Dagster's runs, read from its database, because a run that is killed reports nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from psycopg import Connection

SELECT_LAST_RUNS = """
SELECT DISTINCT ON (pipeline_name)
    pipeline_name AS job, run_id, status
FROM (
    SELECT id, pipeline_name, run_id, status, start_time FROM runs ORDER BY id DESC LIMIT %s
) AS newest
WHERE
    status IN ('SUCCESS', 'FAILURE')
    OR status = 'STARTED' AND start_time < extract(EPOCH FROM clock_timestamp()) - %s
ORDER BY pipeline_name, id DESC
"""
SELECT_PROCESSES = """
SELECT r.pipeline_name AS job, r.run_id, substring(e.event FROM 'Started process for run .pid: ([0-9]+)')::int AS pid
FROM runs AS r INNER JOIN event_logs AS e ON r.run_id = e.run_id
WHERE
    r.status IN ('STARTING', 'STARTED', 'CANCELING') AND e.dagster_event_type = 'ENGINE_EVENT'
    AND strpos(e.event, 'Started process for run (pid: ') > 0
"""
"""Dagster notes the process of a run as soon as that has imported Dagster, and nowhere else."""
MAX_RUNS_SCANNED = 200
MIN_HEALTHY_SECONDS = 30
"""A run that has worked this long has recovered from what made the previous one fail."""


class RunState(NamedTuple):
    """The last meaningful run of a job: it has ended, or has been working for a while."""

    job: str
    run_id: str
    status: str

    @property
    def is_failure(self) -> bool:
        """Whether it failed."""
        return self.status == "FAILURE"


class RunProcess(NamedTuple):
    """The process of a run in progress according to Dagster; it may have died since."""

    job: str
    run_id: str
    pid: int


def load_run_processes(conn: Connection) -> list[RunProcess]:
    """The processes of all runs in progress that have recorded theirs."""
    with conn.cursor(row_factory=class_row(RunProcess)) as cursor:
        return cursor.execute(SELECT_PROCESSES).fetchall()


def load_last_runs(conn: Connection) -> list[RunState]:
    """One per job among the newest `MAX_RUNS_SCANNED` runs; canceled runs are ignored."""
    with conn.cursor(row_factory=class_row(RunState)) as cursor:
        return cursor.execute(SELECT_LAST_RUNS, [MAX_RUNS_SCANNED, MIN_HEALTHY_SECONDS]).fetchall()
