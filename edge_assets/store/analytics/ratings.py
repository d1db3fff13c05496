"""Games in the order in which their results became known, and the ratings computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import write_columns

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.store.postgres.columns import Columns

SELECT_SCORE_CHANGES = """
WITH scored AS (
    SELECT
        event_id, known_at,
        array_agg(
            ARRAY[home_score, away_score] ORDER BY array_position(ARRAY['full', 'regulation', 'unstated'], period)
        ) FILTER (WHERE status = 'final' AND NOT contradicted) AS scores
    FROM event_results_dated GROUP BY event_id, known_at
),
changed AS (
    SELECT
        event_id, known_at, scores[1][1] AS home_score, scores[1][2] AS away_score,
        scores[1:1] IS DISTINCT FROM lag(scores[1:1]) OVER (PARTITION BY event_id ORDER BY known_at) AS is_new
    FROM scored
)
SELECT e.sport_id, e.id, c.known_at, e.home_team, e.away_team, c.home_score, c.away_score
FROM changed AS c INNER JOIN events AS e ON c.event_id = e.id
WHERE c.is_new AND e.home_team IS NOT NULL AND e.away_team IS NOT NULL
ORDER BY e.sport_id, c.known_at, e.id
"""
RATING_TYPES = {
    "event_id": "i4", "outcome_id": "i4", "known_at": TIMESTAMP, "step": "i4", "games": "i4", "elo": "f8", "form": "f8",
    "home_bias": "f8",
}  # fmt: skip


class RatedGame(NamedTuple):
    """A game's score as known from `known_at` on; without scores, none counts any more."""

    sport_id: int
    event_id: int
    known_at: datetime
    home: str
    away: str
    home_score: int | None
    away_score: int | None


def load_rated_games(conn: Connection) -> list[RatedGame]:
    """Every change of a game's known score, league by league, oldest first.

    A contradicted score no longer counts from then on, until a person decides; the history before stays as it was.
    """
    return [RatedGame(*row) for row in conn.execute(SELECT_SCORE_CHANGES)]


def replace_ratings(conn: Connection, columns: Columns) -> None:
    """Replace the ratings (`RATING_TYPES`)."""
    with conn.cursor() as cursor:
        cursor.execute("TRUNCATE pricing.team_ratings")
        write_columns(cursor, "pricing.team_ratings", RATING_TYPES, columns)
        cursor.execute("ANALYZE pricing.team_ratings")
