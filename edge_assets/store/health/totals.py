"""The counts behind `edge status` and the board: updated on write, unaffected by retention."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from edge_assets.store.health.scorer_failures import load_scorer_failures
from edge_assets.store.postgres.database import load_database_info

if TYPE_CHECKING:
    from psycopg import Connection

SELECT_POLL_TOTALS = """
SELECT
    coalesce(sum(polls), 0)::bigint AS payloads, coalesce(sum(quotes_seen), 0)::bigint AS quotes_seen,
    coalesce(sum(ticks), 0)::bigint AS ticks, coalesce(sum(withdrawals), 0)::bigint AS withdrawals,
    max(last_observed_at) AS last_observed_at
FROM poll_totals
"""
SELECT_ALERT_TOTALS = """
SELECT
    (SELECT coalesce(sum(opened), 0)::bigint FROM alert_totals) AS alerts_opened,
    (SELECT count(*) FROM open_alerts) AS alerts_open
"""
MAX_RECENT_ALERTS = 10_000
SELECT_LATENCY_PERCENTILES = f"""
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY detection_latency_ms)
FROM (
    SELECT detection_latency_ms FROM alert_publications
    WHERE published_at BETWEEN now() - interval '1 hour' AND now() + interval '1 second'
    ORDER BY published_at DESC LIMIT {MAX_RECENT_ALERTS}
) AS recent
"""
"""An outage leaves the figures after an hour; publications dated in the future are ignored."""
SELECT_TOTALS_BY_SPORT = """
SELECT
    s.key AS sport, sum(t.polls)::bigint AS payloads, sum(t.quotes_seen)::bigint AS quotes_seen,
    sum(t.ticks)::bigint AS ticks, sum(t.withdrawals)::bigint AS withdrawals,
    max(t.last_observed_at) AS last_observed_at
FROM poll_totals AS t
INNER JOIN sports AS s ON t.sport_id = s.id
GROUP BY s.key ORDER BY s.key
"""
SELECT_REJECTION_TOTALS = "SELECT reason, sum(n)::bigint FROM rejection_totals GROUP BY reason"
SELECT_SUPPRESSION_TOTALS = "SELECT reason, sum(n)::bigint FROM suppression_totals GROUP BY reason"
COUNT_CONTRADICTED_EVENTS = "SELECT count(*) FROM contradicted_events"


def load_status(conn: Connection) -> dict[str, Any]:
    """Counts since this database began, latency percentiles of the last hour in milliseconds, and the engine."""
    with conn.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(SELECT_POLL_TOTALS).fetchone() or {}
        alerts = cursor.execute(SELECT_ALERT_TOTALS).fetchone() or {}
        sports = cursor.execute(SELECT_TOTALS_BY_SPORT).fetchall()
    latency = (conn.execute(SELECT_LATENCY_PERCENTILES).fetchone() or (None,))[0] or (None, None, None)
    return {
        **counts,
        **alerts,
        "rejected": dict(conn.execute(SELECT_REJECTION_TOTALS).fetchall()),
        "suppressed": dict(conn.execute(SELECT_SUPPRESSION_TOTALS).fetchall()),
        "contradicted_results": count_contradicted_events(conn),
        "latency_ms": dict(zip(("p50", "p95", "p99"), latency, strict=True)),
        "failing": [asdict(failure) for failure in load_scorer_failures(conn)],
        "database": asdict(load_database_info(conn)),
        "sports": sports,
    }


def count_contradicted_events(conn: Connection) -> int:
    """The number of events whose sources contradict each other, as last updated."""
    return int((conn.execute(COUNT_CONTRADICTED_EVENTS).fetchone() or (0,))[0])
