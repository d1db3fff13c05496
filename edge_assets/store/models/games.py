"""The games and prices of a sport group, as training needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.reference.sports import team_pool
from edge_assets.store.analytics.opening_closing import DISABLE_NESTED_LOOPS
from edge_assets.store.models.quotes import arrange_quotes
from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns
from ml.training.games import AVERAGE, BEST, Games

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import Market
    from ml.training.games import Quotes

SELECT_STARTS = """
SELECT
    e.id, e.sport_id, s.key AS sport, e.home_team, e.away_team,
    season_of(s.key, e.original_commence_at) AS season,
    least(
        e.original_commence_at,
        min(greatest(t.observed_at, t.commence_at)) FILTER (
            WHERE t.superseded_at IS NULL OR greatest(t.observed_at, t.commence_at) < t.superseded_at
        )
    ) AS starts_at
FROM events AS e
INNER JOIN sports AS s ON e.sport_id = s.id AND (s.key = %(sport)s OR starts_with(s.key, %(sport)s || '_'))
LEFT JOIN (
    SELECT *, lead(observed_at) OVER (PARTITION BY event_id ORDER BY observed_at) AS superseded_at FROM event_starts
) AS t ON e.id = t.event_id
WHERE e.home_team IS NOT NULL AND e.away_team IS NOT NULL
GROUP BY e.id, s.key
"""
"""The closing lines' rule: the first announced start, or an earlier one from when it was known."""
SELECT_GAMES = f"SELECT id, sport_id, season, starts_at FROM ({SELECT_STARTS}) AS starts ORDER BY starts_at, id"
SELECT_NAMES = "SELECT id, home_team, away_team FROM events WHERE id = ANY(%s)"
SELECT_SCORES = """
SELECT DISTINCT ON (r.event_id) r.event_id, r.known_at, r.home_score, r.away_score
FROM event_results_dated AS r
WHERE r.status = 'final' AND NOT r.contradicted AND r.home_score IS NOT NULL AND r.event_id = ANY(%(events)s)
ORDER BY r.event_id, r.known_at, array_position(ARRAY['regulation', 'full', 'unstated'], r.period)
"""
"""The first score that was known for certain. A later correction does not change what was known before it."""
SELECT_TICKS = f"""
WITH ticks AS (
    SELECT event_id, book_id, outcome_id, price, point, observed_at, poll_id
    FROM clean_ticks WHERE market_id = %(market)s
    UNION ALL
    SELECT
        event_id, CASE kind WHEN 'max' THEN {BEST} WHEN 'avg' THEN {AVERAGE} END, outcome_id, price, point,
        observed_at, poll_id
    FROM clean_aggregates WHERE market_id = %(market)s AND kind IN ('max', 'avg')
)
SELECT
    t.event_id, t.book_id, t.outcome_id, t.observed_at, coalesce(t.price, 'NaN'), coalesce(t.point, 'NaN'),
    p.time_assumed
FROM ticks AS t
INNER JOIN polls AS p ON t.poll_id = p.id
INNER JOIN sports AS s ON p.sport_id = s.id AND (s.key = %(sport)s OR starts_with(s.key, %(sport)s || '_'))
"""
"""Not aggregated here: PostgreSQL takes a minute for the first and last of 1.9 million ticks, NumPy a second."""
GAME_TYPES = {"event": "i4", "league": "i4", "season": "i4", "start": TIMESTAMP}
SCORE_TYPES = {"event": "i4", "known_at": TIMESTAMP, "home": "i4", "away": "i4"}
TICK_TYPES = {
    "event": "i4", "book": "i4", "outcome": "i4", "at": TIMESTAMP, "price": "f8", "point": "f8", "assumed": "?",
}  # fmt: skip


class History(NamedTuple):
    """The games of a sport group, with the keys of leagues and books by id, and teams' numbers by pool and name."""

    games: Games
    leagues: dict[int, str]
    books: dict[int, str]
    teams: dict[tuple[str, str], int]


def load_history(conn: Connection, group: str) -> History:
    """The games of all leagues whose keys are `group` or start with it and `_`, in the order of their starts."""
    columns = read_columns(conn, SELECT_GAMES, GAME_TYPES, {"sport": group})
    leagues: dict[int, str] = dict(conn.execute("SELECT id, key FROM sports").fetchall())
    home, away, teams = _number_teams(conn, columns["event"], columns["league"], leagues)
    games = Games(**columns, home=home, away=away, **_load_scores(conn, columns["event"]))
    return History(games, leagues, dict(conn.execute("SELECT id, key FROM books").fetchall()), teams)


def load_quotes(conn: Connection, games: Games, group: str, market: Market) -> Quotes:
    """Each book's and aggregate's prices of one market when decisions are made and at the close, by row of `games`."""
    with conn.transaction():
        conn.execute(DISABLE_NESTED_LOOPS)
        ticks = read_columns(conn, SELECT_TICKS, TICK_TYPES, {"sport": group, "market": int(market)})
    return arrange_quotes(ticks, games, market)


def _number_teams(
    conn: Connection, events: NDArray[np.int32], league: NDArray[np.int32], leagues: dict[int, str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], dict[tuple[str, str], int]]:
    """The numbers (N,) of home and away team, and of all: a name means one team in all leagues of its pool."""
    names = {event: teams for event, *teams in conn.execute(SELECT_NAMES, [events.tolist()])}
    pools = {number: team_pool(key) for number, key in leagues.items()}
    numbers: dict[tuple[str, str], int] = {}
    sides = [
        [numbers.setdefault((pools[pool], name), len(numbers)) for name in names[event]]
        for event, pool in zip(events.tolist(), league.tolist(), strict=True)
    ]
    home, away = np.array(sides, np.int32).reshape(-1, 2).T
    return home, away, numbers


def _load_scores(conn: Connection, events: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """The first known scores (N, 2) and when they were known (N,)."""
    columns = read_columns(conn, SELECT_SCORES, SCORE_TYPES, {"events": events.tolist()})
    score = np.full((len(events), 2), np.nan)
    known_at = np.full(len(events), np.iinfo(np.int64).max)
    order = np.argsort(events)
    row = order[np.searchsorted(events, columns["event"], sorter=order)]
    score[row] = np.stack([columns["home"], columns["away"]], axis=1)
    known_at[row] = columns["known_at"]
    return {"score": score, "known_at": known_at}
