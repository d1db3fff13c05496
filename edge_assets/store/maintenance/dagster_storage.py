"""Retention of Dagster's check executions and events without a run, which Dagster itself keeps for ever.

Runs, with their events, are deleted through its instance; it has no call for these two.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from datetime import datetime

DELETE_CHECK_EXECUTIONS = """
DELETE FROM asset_check_executions AS c
WHERE
    c.create_timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
    AND EXISTS (
        SELECT FROM asset_check_executions AS later
        WHERE later.asset_key = c.asset_key AND later.check_name = c.check_name AND later.id > c.id
    )
"""
DELETE_EVENTS_WITHOUT_RUN = """
DELETE FROM event_logs AS e
WHERE
    e.run_id = '' AND e.timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
    AND EXISTS (
        SELECT FROM event_logs AS later
        WHERE
            later.run_id = '' AND later.asset_key = e.asset_key AND later.dagster_event_type = e.dagster_event_type
            AND later.id > e.id
    )
"""


def delete_old_checks_and_events(url: str, before: datetime) -> dict[str, int]:
    """Delete check executions and events without a run (freshness) older than `before`, except the last of each.

    `url` is that of Dagster's database, in the form of SQLAlchemy or of libpq.
    """
    libpq_url = "postgresql://" + url.split("://", 1)[1]
    with closing(psycopg.connect(libpq_url, autocommit=True, application_name="retention")) as conn:
        return {
            "check executions": conn.execute(DELETE_CHECK_EXECUTIONS, {"before": before}).rowcount,
            "events without a run": conn.execute(DELETE_EVENTS_WITHOUT_RUN, {"before": before}).rowcount,
        }
