"""The counts behind `edge status` and the board."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from edge_assets.store.database import describe
from edge_assets.store.results import contradicted_events
from edge_assets.store.scorer_failures import failing_sports

if TYPE_CHECKING:
    from psycopg import Connection

POLLS = """
SELECT
    count(*) AS payloads, coalesce(sum(quotes_seen), 0)::bigint AS quotes_seen,
    coalesce(sum(ticks), 0)::bigint AS ticks, coalesce(sum(withdrawals), 0)::bigint AS withdrawals,
    max(observed_at) AS last_observed_at
FROM polls
"""
ALERTS = """
SELECT
    count(*) FILTER (WHERE state = 'opened') AS alerts_opened,
    count(*) FILTER (WHERE state = 'opened') - count(*) FILTER (WHERE state = 'closed') AS alerts_open
FROM alerts
"""
LATENCY = """
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY detection_latency_ms)
FROM alerts WHERE published_at IS NOT NULL
"""
SPORTS = """
SELECT
    s.key AS sport, count(*) AS payloads, sum(p.quotes_seen)::bigint AS quotes_seen,
    sum(p.ticks)::bigint AS ticks, sum(p.withdrawals)::bigint AS withdrawals,
    max(p.observed_at) AS last_observed_at
FROM polls AS p
INNER JOIN sports AS s ON p.sport_id = s.id
GROUP BY s.key ORDER BY s.key
"""
REJECTED = "SELECT r.key, sum(r.value::bigint)::bigint FROM polls, jsonb_each_text(rejected) AS r GROUP BY r.key"
SUPPRESSED = "SELECT reason, sum(n)::bigint FROM suppressions GROUP BY reason"


def status(conn: Connection) -> dict[str, Any]:
    """Counts since this database began, latency percentiles in milliseconds, and the engine."""
    with conn.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(POLLS).fetchone() or {}
        alerts = cursor.execute(ALERTS).fetchone() or {}
        sports = cursor.execute(SPORTS).fetchall()
    latency = (conn.execute(LATENCY).fetchone() or (None,))[0] or (None, None, None)
    return {
        **counts,
        **alerts,
        "rejected": dict(conn.execute(REJECTED).fetchall()),
        "suppressed": dict(conn.execute(SUPPRESSED).fetchall()),
        "contradicted_results": contradicted_events(conn),
        "latency_ms": dict(zip(("p50", "p95", "p99"), latency, strict=True)),
        "failing": [asdict(failure) for failure in failing_sports(conn)],
        "database": asdict(describe(conn)),
        "sports": sports,
    }
