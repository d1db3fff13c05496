"""People's decisions on results: stored apart from the sources' statements, and in force from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row, dict_row

from edge_assets.store.events.results import update_contradicted_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.settlement import GameStatus, Score, ScorePeriod

INSERT_RESULT_DECISION = """
INSERT INTO result_decisions (
    event_id, decided_at, decided_by, reason, from_source, period, status, home_score, away_score
) VALUES (
    %(event)s, %(at)s, %(by)s, %(reason)s, %(source)s, %(period)s, %(status)s, %(home)s, %(away)s
)
"""
SELECT_EVENT = """
SELECT e.id, s.key AS sport, e.home_team, e.away_team, e.commence_at
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.id = %s
"""
SELECT_RESULT_STATEMENTS = """
SELECT source, period, status, home_score, away_score, observed_at, NULL AS decided_by, NULL AS reason
FROM results WHERE event_id = %(event)s
UNION ALL
SELECT
    concat_ws(' for ', 'decision', from_source), period, status, home_score, away_score, decided_at, decided_by, reason
FROM result_decisions WHERE event_id = %(event)s
ORDER BY observed_at, source, period
"""
SELECT_NEWEST_SOURCE_STATEMENTS = """
SELECT DISTINCT ON (period) period, status, home_score, away_score
FROM results WHERE event_id = %(event)s AND source = %(source)s
ORDER BY period, observed_at DESC, status IN ('final', 'shortened') DESC, home_score
"""
SELECT_CURRENT_RESULTS = """
SELECT r.event_id, s.key AS sport, e.home_team, e.away_team, e.commence_at, r.period, r.status, r.home_score,
    r.away_score, r.source, r.observed_at, r.contradicted
FROM event_results AS r
INNER JOIN events AS e ON r.event_id = e.id
INNER JOIN sports AS s ON e.sport_id = s.id
WHERE
    (r.contradicted OR NOT %(contradicted)s) AND (r.source = 'decision' OR NOT %(decided)s)
    AND (%(sport)s::text IS NULL OR starts_with(s.key, %(sport)s))
    AND (%(season)s::integer IS NULL OR season_of(s.key, e.original_commence_at) = %(season)s)
    AND (%(team)s::text IS NULL OR strpos(lower(concat_ws(E'\n', e.home_team, e.away_team)), lower(%(team)s)) > 0)
ORDER BY e.commence_at DESC, r.event_id, r.period LIMIT %(limit)s
"""


class ResultFilter(NamedTuple):
    """A filter on results: contradicted or decided only, sports by key prefix, season, part of a team's name; None:
    all.
    """

    contradicted: bool = False
    decided: bool = False
    sport: str | None = None
    season: int | None = None
    team: str | None = None


class DecidedScore(NamedTuple):
    """The decided status and score of one period of a game."""

    period: ScorePeriod
    status: GameStatus
    score: Score | None


@dataclass(frozen=True, slots=True)
class ResultStatement:
    """A source's or a person's statement on a period of a game, and when it was first received.

    A decision has an author and a reason; its source is `decision` or `decision for` the source it adopts.
    """

    source: str
    period: str
    status: str
    home_score: int | None
    away_score: int | None
    observed_at: datetime
    decided_by: str | None
    reason: str | None


def decide_result(
    conn: Connection,
    event_id: int,
    scores: Sequence[DecidedScore],
    *,
    at: datetime,
    by: str,
    reason: str,
    source: str | None = None,
) -> None:
    """Append a decision on some periods of a game, all or nothing; it holds from `at` on, until the next one.

    `source` is the source that the decision adopts, None if the person states the result.
    """
    common = {"event": event_id, "at": at, "by": by, "reason": reason, "source": source}
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(INSERT_RESULT_DECISION, [common | _score_parameters(score) for score in scores])
        update_contradicted_events(conn, [event_id])


def _score_parameters(score: DecidedScore) -> dict[str, Any]:
    home, away = score.score or (None, None)
    return {"period": score.period, "status": score.status, "home": home, "away": away}


def find_event(conn: Connection, event_id: int) -> Mapping[str, Any] | None:
    """Sport, teams and start of an event; None if there is none of that number."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SELECT_EVENT, [event_id]).fetchone()


def load_result_statements(conn: Connection, event_id: int) -> list[ResultStatement]:
    """All statements of sources and people on a game, in order of receipt."""
    with conn.cursor(row_factory=class_row(ResultStatement)) as cursor:
        return cursor.execute(SELECT_RESULT_STATEMENTS, {"event": event_id}).fetchall()


def load_newest_source_statements(
    conn: Connection, event_id: int, source: str
) -> list[tuple[str, str, int | None, int | None]]:
    """The newest statement of one source on each period: period, status, scores."""
    return conn.execute(SELECT_NEWEST_SOURCE_STATEMENTS, {"event": event_id, "source": source}).fetchall()


def load_current_results(conn: Connection, filters: ResultFilter, limit: int) -> list[dict[str, Any]]:
    """The results in force that match the filter, the newest games first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SELECT_CURRENT_RESULTS, {**filters._asdict(), "limit": limit}).fetchall()
