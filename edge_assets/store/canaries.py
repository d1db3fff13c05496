"""What the canaries look at: prices with the results they had, what importers rejected, contradicted results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.store.bulk import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

RECENT = "interval '90 days'"
SCORES = f"""
WITH played AS (
    SELECT
        event_id,
        (array_agg(home_score ORDER BY period = 'full', period))[1] AS regulation_home,
        (array_agg(away_score ORDER BY period = 'full', period))[1] AS regulation_away,
        (array_agg(home_score ORDER BY period = 'regulation', period))[1] AS full_home,
        (array_agg(away_score ORDER BY period = 'regulation', period))[1] AS full_away
    FROM event_results WHERE status = 'final' AND NOT contradicted GROUP BY event_id
),
dated AS (
    SELECT p.*, e.commence_at, max(e.commence_at) OVER (PARTITION BY e.sport_id) AS newest_at
    FROM played AS p INNER JOIN events AS e ON p.event_id = e.id
)
SELECT event_id, regulation_home, regulation_away, full_home, full_away FROM dated
WHERE commence_at > newest_at - {RECENT} OR event_id = ANY(%(events)s)
ORDER BY event_id
"""
SCORE_TYPES = {
    "event": "i4", "regulation_home": "i2", "regulation_away": "i2", "full_home": "i2", "full_away": "i2",
}  # fmt: skip
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
    """Scores that nobody contradicts, of `events` and of each sport's newest 90 days: `SCORE_TYPES`, by event.

    Where a source does not state a period, the score that it does state.
    """
    return read_columns(conn, SCORES, SCORE_TYPES, {"events": list(events)})


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
