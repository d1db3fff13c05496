"""What the canaries look at: prices with the results they had, what importers rejected, contradicted results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.store.bulk import read_columns
from edge_assets.store.reports import reports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

RECENT = "interval '90 days'"
JUDGED = f"""
WITH dated AS (
    SELECT
        e.id, e.commence_at,
        max(e.commence_at) FILTER (
            WHERE EXISTS (SELECT FROM results AS r WHERE r.event_id = e.id)
        ) OVER (PARTITION BY e.sport_id) AS newest_at
    FROM events AS e
)
SELECT id FROM dated WHERE commence_at > newest_at - {RECENT} OR id = ANY(%(events)s)
"""
BETS = """
SELECT
    t.event_id, t.book_id, t.market_id, t.outcome_id, coalesce(t.point, 0)::real,
    (array_agg(t.price ORDER BY t.observed_at))[1], (array_agg(t.price ORDER BY t.observed_at DESC))[1]
FROM (
    SELECT event_id, market_id, outcome_id, point, book_id, price, observed_at FROM odds_ticks
    WHERE event_id = ANY(%(events)s)
    UNION ALL
    SELECT
        event_id, market_id, outcome_id, point, CASE kind WHEN 'max' THEN -1 ELSE -2 END::smallint, price, observed_at
    FROM aggregate_ticks WHERE event_id = ANY(%(events)s) AND kind IN ('max', 'avg')
) AS t
INNER JOIN events AS e ON t.event_id = e.id AND t.observed_at < least(e.commence_at, e.original_commence_at)
WHERE t.price IS NOT NULL AND t.market_id = ANY(%(markets)s)
GROUP BY t.event_id, t.book_id, t.market_id, t.outcome_id, t.point
"""
BET_TYPES = {
    "event": "i4", "book": "i2", "market": "i2", "outcome": "i4", "point": "f4", "opening": "f8", "closing": "f8",
}  # fmt: skip
REJECTED = """
SELECT i.path, i.rows, (SELECT sum((i.rejected ->> reason)::integer) FROM unnest(%(reasons)s::text[]) AS w (reason))
FROM imports AS i
WHERE
    i.rejected ?| %(reasons)s
    AND (
        i.finished_at > clock_timestamp() - interval '1 day'
        OR EXISTS (
            SELECT FROM polls AS p
            WHERE p.import_id = i.id
            AND NOT EXISTS (SELECT FROM pricing.priced_polls AS d WHERE d.poll_id = p.id)
        )
    )
ORDER BY i.path
"""
CONTRADICTED = """
SELECT count(*), count(*) FILTER (WHERE contradicted)
FROM (
    SELECT event_id, bool_or(contradicted) AS contradicted FROM event_results WHERE event_id = ANY(%(events)s)
    GROUP BY event_id
) AS r
"""


class RejectedRows(NamedTuple):
    """A file with rows that were rejected, for the reasons asked for."""

    file: str
    rows: int
    rejected: int


def scores(conn: Connection, events: Sequence[int]) -> Columns:
    """Results of `events` and of each sport's newest 90 days that are not contradicted in all: `reports.TYPES`."""
    found = reports(conn)
    judged = [event for (event,) in conn.execute(JUDGED, {"events": list(events)})]
    mine = np.isin(found["event"], judged) & ~(found["regulation_contradicted"] & found["full_contradicted"])
    return {name: column[mine] for name, column in found.items()}


def bets(conn: Connection, events: Sequence[int], markets: Sequence[int]) -> Columns:
    """The first and the last price of every selection before the start: columns of `BET_TYPES`.

    The book of an aggregate is -1 (`max`) or -2 (`avg`).
    """
    return read_columns(conn, BETS, BET_TYPES, {"events": list(events), "markets": list(markets)})


def rejected_rows(conn: Connection, reasons: Sequence[str]) -> list[RejectedRows]:
    """The files of the last day, or that the warehouse has not taken in yet, with rows rejected for such reasons."""
    return [RejectedRows(*row) for row in conn.execute(REJECTED, {"reasons": list(reasons)})]


def contradicted_results(conn: Connection, events: Sequence[int]) -> tuple[int, int]:
    """How many of the events have a result, and of how many it is contradicted."""
    row = conn.execute(CONTRADICTED, {"events": list(events)}).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
