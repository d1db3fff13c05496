"""Results: written as each source states them, read as one per game and period."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import class_row

from edge_assets.core.clock import to_micros
from edge_assets.reference.sources import Source
from edge_assets.store.postgres import array_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.settlement import GameReport

    StatementKey = tuple[int, str, str, str, int, int]

UPSERT_RESULTS = """
WITH written AS (
    INSERT INTO results (event_id, observed_at, source, period, status, home_score, away_score, import_id)
    SELECT event_id, observed_at, source, period, status, nullif(home, -1), nullif(away, -1), %(import)s
    FROM unnest(
        %(event)s::integer[], %(at)s::timestamptz[], %(source)s::text[], %(period)s::text[], %(status)s::text[],
        %(home)s::smallint[], %(away)s::smallint[]
    ) AS n (event_id, observed_at, source, period, status, home, away)
    ON CONFLICT (event_id, source, period, status, home_score, away_score, import_id)
    DO UPDATE SET observed_at = excluded.observed_at WHERE excluded.observed_at < results.observed_at
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) FROM written
"""
UPDATE_CONTRADICTED = """
WITH contradictions AS MATERIALIZED (
    SELECT DISTINCT event_id FROM event_results WHERE contradicted AND event_id = ANY({suspects})
),
deleted AS (
    DELETE FROM contradicted_events
    WHERE event_id = ANY({events}) AND event_id NOT IN (SELECT event_id FROM contradictions)
),
inserted AS (
    INSERT INTO contradicted_events SELECT event_id FROM contradictions ON CONFLICT DO NOTHING
)
SELECT count(*) FROM contradictions
"""
UPDATE_CONTRADICTED_OF_EVENTS = UPDATE_CONTRADICTED.format(
    suspects="%(events)s::integer[]", events="%(events)s::integer[]"
)
UPDATE_ALL_CONTRADICTED = UPDATE_CONTRADICTED.format(
    suspects="""ARRAY(
    SELECT event_id FROM admitted_results GROUP BY event_id
    HAVING count(*) > count(DISTINCT period) OR min(status) <> max(status) OR bool_or(period = 'unstated')
)""",
    events="ARRAY(SELECT event_id FROM contradicted_events)",
)
"""Only events with two statements or statuses for a period, or a score without a stated period, can be contradicted."""
SELECT_RESULTS_AT = """
SELECT event_id, period, status, home_score, away_score, source, observed_at, contradicted
FROM event_results_at(%(at)s) WHERE event_id = ANY(%(events)s) ORDER BY event_id, period
"""
NO_SCORE = -1
_log = logging.getLogger(__name__)


class StatedResult(NamedTuple):
    """A source's report on an event, and when it was first seen."""

    event_id: int
    source: Source
    observed_at: datetime
    report: GameReport


class ResultCounts(NamedTuple):
    """New and repeated rows, and the number of affected events whose sources contradict each other."""

    new: int
    repeated: int
    contradicted_events: int


@dataclass(frozen=True, slots=True)
class EventResult:
    """A row of `event_results`."""

    event_id: int
    period: str
    status: str
    home_score: int | None
    away_score: int | None
    source: str
    observed_at: datetime
    contradicted: bool


def write_results(conn: Connection, results: Iterable[StatedResult]) -> ResultCounts:
    """Store what sources state, in one transaction; repeated statements are not stored again.

    Contradictory statements are both kept, counted and logged as a warning.
    """
    statements = _first_statements(results)
    with conn.transaction():
        counts = _upsert_results(conn, statements)
        contradicted = update_contradicted_events(conn, sorted({statement[0] for statement in statements}))
    if contradicted:
        _log.warning(
            "%d events have contradicting results; see `edge results list --contradicted`",
            contradicted,
        )
    return counts._replace(contradicted_events=contradicted)


def import_results(conn: Connection, results: Iterable[StatedResult], import_id: int | None = None) -> ResultCounts:
    """Like `write_results`, but without checking for contradictions, which reads every result; for one file of many."""
    return _upsert_results(conn, _first_statements(results), import_id)


def update_contradicted_events(conn: Connection, events: Sequence[int] | None = None) -> int:
    """Update which of these events, or of all, have contradictory sources; return how many do.

    Must be called after results have changed; without `events` it reads every result.
    """
    if events is None:
        row = conn.execute(UPDATE_ALL_CONTRADICTED).fetchone()
    else:
        row = conn.execute(UPDATE_CONTRADICTED_OF_EVENTS, {"events": list(events)}).fetchone()
    return int(row[0]) if row else 0


def _upsert_results(
    conn: Connection, statements: Mapping[StatementKey, datetime], import_id: int | None = None
) -> ResultCounts:
    if not statements:
        return ResultCounts(0, 0, 0)
    event, source, period, status, home, away = zip(*statements, strict=True)
    values = {
        "import": import_id,
        "event": array_params.encode_numbers(event, "i4"),
        "at": array_params.encode_timestamps([to_micros(at) for at in statements.values()]),
        "source": array_params.encode_texts(source),
        "period": array_params.encode_texts(period),
        "status": array_params.encode_texts(status),
        "home": array_params.encode_numbers(home, "i2"),
        "away": array_params.encode_numbers(away, "i2"),
    }
    (new,) = conn.execute(UPSERT_RESULTS, values).fetchone() or (0,)
    return ResultCounts(new, len(statements) - new, 0)


def load_results_at(conn: Connection, event_ids: Sequence[int], at: datetime) -> list[EventResult]:
    """The results of events as they were known at `at`, one an event and period."""
    with conn.cursor(row_factory=class_row(EventResult)) as cursor:
        return cursor.execute(SELECT_RESULTS_AT, {"events": list(event_ids), "at": at}).fetchall()


def _first_statements(results: Iterable[StatedResult]) -> dict[StatementKey, datetime]:
    """Each distinct statement with the earliest moment of it."""
    statements: dict[StatementKey, datetime] = {}
    for event, source, at, report in results:
        for period, score in report.scores().items():
            statement = event, source, period, report.status, *(score or (NO_SCORE, NO_SCORE))
            statements[statement] = min(at, statements.get(statement, at))
    return statements
