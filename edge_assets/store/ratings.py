"""Games in the order in which their results became known, and the ratings made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.store.bulk import TIME, write_columns

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.store.bulk import Columns

GAMES = """
SELECT e.sport_id, e.id, r.observed_at, e.home_team, e.away_team, r.home_score, r.away_score
FROM (
    SELECT DISTINCT ON (event_id) * FROM results WHERE status = 'final'
    ORDER BY
        event_id, observed_at, array_position(ARRAY['full', 'regulation', 'unstated'], period), source,
        home_score, away_score
) AS r
INNER JOIN events AS e ON r.event_id = e.id
WHERE e.home_team IS NOT NULL AND e.away_team IS NOT NULL
ORDER BY e.sport_id, r.observed_at, e.id
"""
"""The first word on each game: a later correction would rewrite what was known before."""
TYPES = {
    "event_id": "i4", "outcome_id": "i4", "known_at": TIME, "games": "i4", "elo": "f8", "form": "f8", "home_bias": "f8",
}  # fmt: skip


class Game(NamedTuple):
    """A game with its first known score."""

    sport_id: int
    event_id: int
    known_at: datetime
    home: str
    away: str
    home_score: int
    away_score: int


def rated_games(conn: Connection) -> list[Game]:
    """Every game with a result, league by league, in the order in which the results became known."""
    return [Game(*row) for row in conn.execute(GAMES)]


def replace_ratings(conn: Connection, columns: Columns) -> None:
    """Put the ratings (`TYPES`) in the place of the old ones."""
    with conn.cursor() as cursor:
        cursor.execute("TRUNCATE pricing.team_ratings")
        write_columns(cursor, "pricing.team_ratings", TYPES, columns)
        cursor.execute("ANALYZE pricing.team_ratings")
