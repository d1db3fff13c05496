"""What the canaries look at: prices with the results they had, what importers rejected, contradicted results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.store.bulk import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

RECENT = "interval '90 days'"
SETTLED = f"""
WITH played AS (
    SELECT e.id, e.sport_id, e.commence_at FROM events AS e
    WHERE EXISTS (SELECT FROM results AS r WHERE r.event_id = e.id AND r.status = 'final')
)
SELECT p.id FROM played AS p
INNER JOIN (SELECT sport_id, max(commence_at) AS newest FROM played GROUP BY sport_id) AS n ON p.sport_id = n.sport_id
WHERE p.commence_at > n.newest - {RECENT} OR p.id = ANY(%(events)s)
ORDER BY p.id
"""
BETS = """
WITH scores AS (
    SELECT DISTINCT ON (r.event_id, m.id) r.event_id, m.id AS market_id, r.home_score, r.away_score
    FROM event_results AS r
    INNER JOIN markets AS m ON m.id = ANY(%(markets)s)
    WHERE r.event_id = ANY(%(events)s) AND r.status = 'final' AND NOT r.contradicted
    ORDER BY r.event_id, m.id, r.period = CASE WHEN m.key = 'h2h_3_way' THEN 'full' ELSE 'regulation' END, r.period
),
told AS (
    SELECT event_id, market_id, outcome_id, point, book_id, price, observed_at FROM odds_ticks
    WHERE event_id = ANY(%(events)s)
    UNION ALL
    SELECT
        event_id, market_id, outcome_id, point, CASE kind WHEN 'max' THEN -1 ELSE -2 END::smallint, price, observed_at
    FROM aggregate_ticks WHERE event_id = ANY(%(events)s) AND kind IN ('max', 'avg')
)
SELECT
    t.book_id, t.market_id, t.outcome_id, coalesce(t.point, 0)::real, s.home_score, s.away_score,
    (array_agg(t.price ORDER BY t.observed_at))[1], (array_agg(t.price ORDER BY t.observed_at DESC))[1]
FROM told AS t
INNER JOIN scores AS s ON t.event_id = s.event_id AND t.market_id = s.market_id
INNER JOIN events AS e ON t.event_id = e.id AND t.observed_at < least(e.commence_at, e.original_commence_at)
WHERE t.price IS NOT NULL
GROUP BY t.event_id, t.book_id, t.market_id, t.outcome_id, t.point, s.home_score, s.away_score
"""
BET_TYPES = {
    "book": "i2", "market": "i2", "outcome": "i4", "point": "f4", "home_score": "i2", "away_score": "i2",
    "opening": "f8", "closing": "f8",
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


def settled_events(conn: Connection, events: Sequence[int]) -> list[int]:
    """Those of `events` that have a result, and all others of each sport's newest 90 days that have one."""
    return [event for (event,) in conn.execute(SETTLED, {"events": list(events)})]


def bets(conn: Connection, events: Sequence[int], markets: Sequence[int]) -> dict[str, NDArray[Any]]:
    """The first and the last price of every selection before the start, with the score: columns of `BET_TYPES`.

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
