"""Inputs of the checks: prices with results, rejected rows of imports, contradicted results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.store.analytics.held_out import IS_PRICE_ACCEPTED, NON_PRICE_CHECKS, SELECT_ACCEPTED_FINDINGS
from edge_assets.store.analytics.quarantine import load_period
from edge_assets.store.events.score_reports import load_reports
from edge_assets.store.postgres.columns import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

RECENT_INTERVAL = "interval '90 days'"
SELECT_CHECKED_EVENTS = f"""
WITH dated AS (
    SELECT
        e.id, e.commence_at,
        max(e.commence_at) FILTER (
            WHERE EXISTS (SELECT FROM results AS r WHERE r.event_id = e.id)
        ) OVER (PARTITION BY e.sport_id) AS newest_at
    FROM events AS e
)
SELECT id FROM dated WHERE commence_at > newest_at - {RECENT_INTERVAL} OR id = ANY(%(events)s)
"""
SELECT_CHECK_PRICES = f"""
WITH accepted AS MATERIALIZED ({SELECT_ACCEPTED_FINDINGS})
SELECT
    t.event_id, t.book_id, t.market_id, t.outcome_id, coalesce(t.point, 0)::real,
    (array_agg(t.price ORDER BY t.observed_at, p.import_id DESC NULLS LAST, t.poll_id))[1],
    (array_agg(t.price ORDER BY t.observed_at DESC, p.import_id DESC NULLS LAST, t.poll_id DESC))[1],
    coalesce(max(p.import_id), 0)
FROM (
    SELECT n.*, e.sport_id, season_of(s.key, e.original_commence_at) AS season
    FROM (
        SELECT event_id, market_id, outcome_id, point, book_id, price, observed_at, poll_id FROM clean_ticks
        WHERE
            event_id = ANY(%(events)s)
            AND observed_at >= %(first)s AND observed_at < %(last)s
        UNION ALL
        SELECT
            event_id, market_id, outcome_id, point, CASE kind WHEN 'max' THEN -1 ELSE -2 END::smallint, price,
            observed_at, poll_id
        FROM clean_aggregates WHERE event_id = ANY(%(events)s) AND kind IN ('max', 'avg')
    ) AS n
    INNER JOIN events AS e ON n.event_id = e.id AND n.observed_at < least(e.commence_at, e.original_commence_at)
    INNER JOIN sports AS s ON e.sport_id = s.id
    WHERE n.price IS NOT NULL AND n.market_id = ANY(%(markets)s)
) AS t
LEFT JOIN polls AS p ON t.poll_id = p.id
WHERE NOT {IS_PRICE_ACCEPTED}
GROUP BY t.event_id, t.book_id, t.market_id, t.outcome_id, t.point
"""
CHECK_PRICE_TYPES = {
    "event": "i4", "book": "i2", "market": "i2", "outcome": "i4", "point": "f4", "opening": "f8", "closing": "f8",
    "import_id": "i4",
}  # fmt: skip
SELECT_REJECTED_ROWS = """
SELECT
    i.id, i.path, i.rows,
    (SELECT sum((i.rejected ->> reason)::integer) FROM unnest(%(reasons)s::text[]) AS w (reason))
FROM imports AS i
WHERE
    i.rejected ?| %(reasons)s
    AND NOT EXISTS (SELECT FROM quality_findings AS f WHERE f.import_id = i.id AND 'row_width' = ANY(f.checks))
ORDER BY i.id
"""
COUNT_CONTRADICTED_RESULTS = """
SELECT sport_id, count(*), count(*) FILTER (WHERE contradicted)
FROM (
    SELECT e.sport_id, r.event_id, bool_or(r.contradicted) AS contradicted
    FROM event_results AS r INNER JOIN events AS e ON r.event_id = e.id
    WHERE r.event_id = ANY(%(events)s)
    GROUP BY e.sport_id, r.event_id
) AS r
GROUP BY sport_id ORDER BY sport_id
"""
SELECT_SPORT_FEED = """
SELECT feed FROM polls WHERE sport_id = %s AND import_id IS NULL ORDER BY observed_at DESC LIMIT 1
"""


class RejectedRows(NamedTuple):
    """An import with rows rejected for given reasons."""

    import_id: int
    file: str
    rows: int
    rejected: int


def load_check_results(conn: Connection, events: Sequence[int]) -> Columns:
    """Results of `events` and of each sport's last 90 days, unless contradicted for every period: `REPORT_TYPES`."""
    results = load_reports(conn)
    checked_events = [event for (event,) in conn.execute(SELECT_CHECKED_EVENTS, {"events": list(events)})]
    is_checked = np.isin(results["event"], checked_events) & ~(
        results["regulation_contradicted"] & results["full_contradicted"]
    )
    return {name: column[is_checked] for name, column in results.items()}


def load_check_prices(conn: Connection, events: Sequence[int], markets: Sequence[int]) -> Columns:
    """The first and the last price of every selection before the start: columns of `CHECK_PRICE_TYPES`.

    Prices accepted by a person are left out. The book of an aggregate is -1 (`max`) or -2 (`avg`).
    """
    values = {"events": list(events), "markets": list(markets), "not_of_prices": NON_PRICE_CHECKS}
    return read_columns(conn, SELECT_CHECK_PRICES, CHECK_PRICE_TYPES, values | load_period(conn, events))


def find_sport_feed(conn: Connection, sport_id: int) -> str | None:
    """The feed from which a sport was last polled."""
    row = conn.execute(SELECT_SPORT_FEED, [sport_id]).fetchone()
    return str(row[0]) if row else None


def load_rejected_rows(conn: Connection, reasons: Sequence[str]) -> list[RejectedRows]:
    """The imports with rows rejected for `reasons` that have no finding yet."""
    return [RejectedRows(*row) for row in conn.execute(SELECT_REJECTED_ROWS, {"reasons": list(reasons)})]


def count_contradicted_results(conn: Connection, events: Sequence[int]) -> list[tuple[int, int, int]]:
    """By sport: id, number of events with a result, number of those contradicted."""
    return conn.execute(COUNT_CONTRADICTED_RESULTS, {"events": list(events)}).fetchall()
