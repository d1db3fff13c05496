"""How Dagster's runs fare, read from its own database: a run that dies without a word reports nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from psycopg import Connection

SELECT_LAST_WORDS = """
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
NEWEST_RUNS = 200
SECONDS_TO_COUNT_AS_WELL = 30
"""A run that has been at work for so long has got over what made the one before it fail."""


class RunState(NamedTuple):
    """The last run of a job that says something: it has ended, or has been at work for a while."""

    job: str
    run_id: str
    status: str

    @property
    def is_failure(self) -> bool:
        """Whether it failed."""
        return self.status == "FAILURE"


def last_runs(conn: Connection) -> list[RunState]:
    """One for each job among the newest `NEWEST_RUNS` runs; canceled runs say nothing."""
    with conn.cursor(row_factory=class_row(RunState)) as cursor:
        return cursor.execute(SELECT_LAST_WORDS, [NEWEST_RUNS, SECONDS_TO_COUNT_AS_WELL]).fetchall()
