"""Events that wait for a result, and the last result poll of each sport."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from edge_assets.reference.sources import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

SELECT_STARTED_EVENTS = """
SELECT
    e.id,
    array(SELECT n.key FROM event_sources AS n WHERE n.event_id = e.id AND n.source = 'odds-api') AS keys,
    s.key AS sport,
    e.home_team, e.away_team, e.commence_at,
    coalesce(
        (
            SELECT array_agg(DISTINCT r.period)
            FROM (
                SELECT event_id, period, status FROM results
                UNION ALL SELECT event_id, period, status FROM result_decisions
            ) AS r
            WHERE r.event_id = e.id AND r.status <> 'postponed'
        ),
        '{}'
    ) AS periods
FROM events AS e
INNER JOIN sports AS s ON e.sport_id = s.id
WHERE
    s.key = ANY(%(sports)s) AND e.commence_at > %(since)s AND e.commence_at <= %(until)s
    AND e.home_team IS NOT NULL AND e.away_team IS NOT NULL
ORDER BY s.key, e.commence_at, e.id
"""
SELECT_LAST_RESULT_POLLS = """
SELECT s.key, w.source, l.observed_at
FROM sports AS s
CROSS JOIN unnest(%s::text[]) AS w (source)
CROSS JOIN LATERAL (
    SELECT r.observed_at FROM result_polls AS r WHERE r.sport_id = s.id AND r.source = w.source
    ORDER BY r.observed_at DESC LIMIT 1
) AS l
"""
INSERT_RESULT_POLL = """
INSERT INTO result_polls (
    sport_id, source, observed_at, run_id, games, new, contradicted_events, rejected, failure, credits_last
)
SELECT
    id, %(source)s, %(observed_at)s, %(run_id)s, %(games)s, %(new)s, %(contradicted_events)s, %(rejected)s,
    %(failure)s, %(credits_last)s
FROM sports WHERE key = %(sport)s
ON CONFLICT (sport_id, source, observed_at) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class StartedEvent:
    """An event between two teams that has started, with its ids in The Odds API and the periods of its results."""

    id: int
    keys: list[str]
    sport: str
    home_team: str
    away_team: str
    commence_at: datetime
    periods: list[str]


@dataclass(frozen=True, slots=True)
class ResultPoll:
    """A source's response or failure: a row of `result_polls`."""

    sport: str
    source: Source
    observed_at: datetime
    games: int = 0
    new: int = 0
    contradicted_events: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None
    credits_last: int | None = None


class Contradiction(NamedTuple):
    """An event and period whose sources differ, with each statement: "espn final 2-1"."""

    event_id: int
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    period: str
    statements: list[str]


SELECT_CONTRADICTIONS = """
SELECT
    c.event_id, e.home_team, e.away_team, e.commence_at, c.period,
    array_agg(concat_ws(' ', r.source, r.status, r.home_score || '-' || r.away_score) ORDER BY r.observed_at, r.source)
FROM event_results AS c
INNER JOIN events AS e ON c.event_id = e.id
INNER JOIN results AS r ON c.event_id = r.event_id AND c.period = r.period
WHERE c.contradicted
GROUP BY c.event_id, e.home_team, e.away_team, e.commence_at, c.period
ORDER BY e.commence_at DESC, c.event_id, c.period
"""


def load_started_events(
    conn: Connection, sports: Sequence[str], since: datetime, until: datetime
) -> list[StartedEvent]:
    """The events of some sports that started after `since` and by `until`, by sport and start."""
    with conn.cursor(row_factory=class_row(StartedEvent)) as cursor:
        return cursor.execute(
            SELECT_STARTED_EVENTS, {"sports": list(sports), "since": since, "until": until}
        ).fetchall()


def load_last_result_polls(conn: Connection) -> dict[tuple[str, str], datetime]:
    """When each source was last polled for each sport, by (sport, source)."""
    return {(sport, source): at for sport, source, at in conn.execute(SELECT_LAST_RESULT_POLLS, [list(Source)])}


def write_result_poll(conn: Connection, poll: ResultPoll, run_id: str) -> None:
    """Store a result poll, once per sport, source and moment."""
    values = {name: getattr(poll, name) for name in ResultPoll.__slots__}
    conn.execute(INSERT_RESULT_POLL, values | {"run_id": run_id, "rejected": Jsonb(dict(poll.rejected))})


def load_contradictions(conn: Connection) -> list[Contradiction]:
    """All results that sources contradict each other on, the newest games first."""
    return [Contradiction(*row) for row in conn.execute(SELECT_CONTRADICTIONS)]
