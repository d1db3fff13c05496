"""The counts behind `edge status` and the board: kept as things are written, whatever is dropped later."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from edge_assets.store.database import describe
from edge_assets.store.scorer_failures import failing_sports

if TYPE_CHECKING:
    from psycopg import Connection

TOTALS_OF_POLLS = """
SELECT
    coalesce(sum(polls), 0)::bigint AS payloads, coalesce(sum(quotes_seen), 0)::bigint AS quotes_seen,
    coalesce(sum(ticks), 0)::bigint AS ticks, coalesce(sum(withdrawals), 0)::bigint AS withdrawals,
    max(last_observed_at) AS last_observed_at
FROM poll_totals
"""
TOTALS_OF_ALERTS = """
SELECT
    (SELECT coalesce(sum(opened), 0)::bigint FROM alert_totals) AS alerts_opened,
    (SELECT count(*) FROM open_alerts) AS alerts_open
"""
RECENT_ALERTS = 10_000
LATENCY_OF_LAST_HOUR = f"""
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY detection_latency_ms)
FROM (
    SELECT detection_latency_ms FROM alert_publications
    WHERE published_at BETWEEN now() - interval '1 hour' AND now() + interval '1 second'
    ORDER BY published_at DESC LIMIT {RECENT_ALERTS}
) AS recent
"""
"""What a suspension or an outage did is past an hour later, and nothing stays that a clock has put into the future."""
TOTALS_BY_SPORT = """
SELECT
    s.key AS sport, sum(t.polls)::bigint AS payloads, sum(t.quotes_seen)::bigint AS quotes_seen,
    sum(t.ticks)::bigint AS ticks, sum(t.withdrawals)::bigint AS withdrawals,
    max(t.last_observed_at) AS last_observed_at
FROM poll_totals AS t
INNER JOIN sports AS s ON t.sport_id = s.id
GROUP BY s.key ORDER BY s.key
"""
REJECTED = "SELECT reason, sum(n)::bigint FROM rejection_totals GROUP BY reason"
SUPPRESSED = "SELECT reason, sum(n)::bigint FROM suppression_totals GROUP BY reason"
COUNT_CONTRADICTED = "SELECT count(*) FROM contradicted_events"


def status(conn: Connection) -> dict[str, Any]:
    """Counts since this database began, latency percentiles of the last hour in milliseconds, and the engine."""
    with conn.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(TOTALS_OF_POLLS).fetchone() or {}
        alerts = cursor.execute(TOTALS_OF_ALERTS).fetchone() or {}
        sports = cursor.execute(TOTALS_BY_SPORT).fetchall()
    latency = (conn.execute(LATENCY_OF_LAST_HOUR).fetchone() or (None,))[0] or (None, None, None)
    return {
        **counts,
        **alerts,
        "rejected": dict(conn.execute(REJECTED).fetchall()),
        "suppressed": dict(conn.execute(SUPPRESSED).fetchall()),
        "contradicted_results": count_contradicted(conn),
        "latency_ms": dict(zip(("p50", "p95", "p99"), latency, strict=True)),
        "failing": [asdict(failure) for failure in failing_sports(conn)],
        "database": asdict(describe(conn)),
        "sports": sports,
    }


def count_contradicted(conn: Connection) -> int:
    """How many events have sources that contradict each other, by the last look at each."""
    return int((conn.execute(COUNT_CONTRADICTED).fetchone() or (0,))[0])
