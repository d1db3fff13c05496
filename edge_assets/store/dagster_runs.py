"""How Dagster's runs have ended, read from its own database: a run that dies without a word reports nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

SELECT_LAST_ENDS = """
SELECT DISTINCT ON (pipeline_name)
    pipeline_name AS job, run_id, status, update_timestamp AT TIME ZONE 'UTC' AS ended_at
FROM (
    SELECT id, pipeline_name, run_id, status, update_timestamp FROM runs ORDER BY id DESC LIMIT %s
) AS newest
WHERE status IN ('SUCCESS', 'FAILURE')
ORDER BY pipeline_name, id DESC
"""
NEWEST_RUNS = 200


class RunEnd(NamedTuple):
    """How the last run of a job that has ended did so."""

    job: str
    run_id: str
    status: str
    ended_at: datetime

    @property
    def is_failure(self) -> bool:
        """Whether it failed."""
        return self.status == "FAILURE"


def last_ends(conn: Connection) -> list[RunEnd]:
    """For each job among the newest `NEWEST_RUNS` runs how its last one ended; canceled runs say nothing."""
    with conn.cursor(row_factory=class_row(RunEnd)) as cursor:
        return cursor.execute(SELECT_LAST_ENDS, [NEWEST_RUNS]).fetchall()
