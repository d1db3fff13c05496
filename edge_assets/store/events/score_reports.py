"""Known results of games, now or over time, as columns for settling bets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

STATUSES_BY_PRIORITY = ("shortened", "final", "abandoned", "postponed", "not_played")
"""If an event's periods differ in status, the first of these holds; numbered from 1."""
SELECT_REPORTS = """
SELECT
    r.event_id,
    r.known_at,
    min(e.sport_id),
    min(array_position(ARRAY{endings}, r.status)),
    coalesce(min(r.home_score) FILTER (WHERE r.period = 'regulation'), 'NaN'::double precision),
    coalesce(min(r.away_score) FILTER (WHERE r.period = 'regulation'), 'NaN'::double precision),
    coalesce(min(r.home_score) FILTER (WHERE r.period = 'full'), 'NaN'::double precision),
    coalesce(min(r.away_score) FILTER (WHERE r.period = 'full'), 'NaN'::double precision),
    coalesce(
        bool_or(r.contradicted) FILTER (WHERE r.period = 'regulation'),
        bool_or(r.contradicted) FILTER (WHERE r.period = 'unstated'), false
    ),
    coalesce(
        bool_or(r.contradicted) FILTER (WHERE r.period = 'full'),
        bool_or(r.contradicted) FILTER (WHERE r.period = 'unstated'), false
    )
FROM {reports} AS r INNER JOIN events AS e ON r.event_id = e.id
GROUP BY r.event_id, r.known_at
ORDER BY r.event_id, r.known_at
"""
"""A contradicted score without a stated period counts for every period that has no score of its own."""
SELECT_REPORT_HISTORY = SELECT_REPORTS.format(endings=[*STATUSES_BY_PRIORITY], reports="event_results_dated")
SELECT_REPORTS_AT = SELECT_REPORTS.format(
    endings=[*STATUSES_BY_PRIORITY],
    reports="(SELECT *, '-infinity'::timestamptz AS known_at FROM event_results_at(%(at)s))",
)
REPORT_TYPES: Mapping[str, str] = {
    "event": "i4", "known_at": TIMESTAMP, "sport": "i2", "ending": "i2",
    "regulation_home": "f8", "regulation_away": "f8", "full_home": "f8", "full_away": "f8",
    "regulation_contradicted": "?", "full_contradicted": "?",
}  # fmt: skip


def load_report_history(conn: Connection) -> Columns:
    """What was known of every game after each statement or decision: `REPORT_TYPES`.

    By event and moment; scores are NaN where they are not known.
    """
    return read_columns(conn, SELECT_REPORT_HISTORY, REPORT_TYPES)


def load_reports(conn: Connection, at: datetime | None = None) -> Columns:
    """What was known at `at`, or is known now: one row per event."""
    return read_columns(conn, SELECT_REPORTS_AT, REPORT_TYPES, {"at": at or "infinity"})
