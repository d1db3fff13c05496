"""Results: written as each source states them, read as one a game and period."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from psycopg import Connection, Cursor

    from ml.settlement import GameReport

COLUMNS = "event_id, observed_at, source, period, status, home_score, away_score"
INSERT = f"""
INSERT INTO results ({COLUMNS})
SELECT {COLUMNS} FROM (
    SELECT *, row_number() OVER (
        PARTITION BY event_id, source, period, status, home_score, away_score ORDER BY observed_at
    ) AS nth
    FROM stated
) AS s
WHERE nth = 1
ON CONFLICT (event_id, source, period, status, home_score, away_score)
DO UPDATE SET observed_at = excluded.observed_at WHERE excluded.observed_at < results.observed_at
RETURNING xmax = 0
"""
CONTRADICTED = """
SELECT count(DISTINCT event_id) FROM event_results WHERE contradicted AND event_id IN (SELECT event_id FROM stated)
"""
READ = """
SELECT event_id, period, status, home_score, away_score, source, observed_at, contradicted
FROM event_results_at(%(at)s) WHERE event_id = ANY(%(events)s) ORDER BY event_id, period
"""
_log = logging.getLogger(__name__)


class ResultSource(StrEnum):
    """Who states results, the most trusted first; `event_results` goes by the same order."""

    ODDS_API = "odds-api"
    ESPN = "espn"
    FOOTBALL_DATA = "football-data"
    PINNACLE_MLB = "pinnacle-mlb"
    NFL_BMR = "nfl-bmr"
    ODDS_TICKS = "odds-ticks"


class StatedResult(NamedTuple):
    """A source's word on an event, and when it was first seen to say so."""

    event_id: int
    source: ResultSource
    observed_at: datetime
    report: GameReport


class Written(NamedTuple):
    """Rows by what became of them, and the number of events in question whose sources contradict each other."""

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


def write_results(conn: Connection, results: Iterable[StatedResult]) -> Written:
    """Store what sources state, in one transaction; what they have said before is not stored again.

    A contradiction is kept beside what it contradicts, counted and warned of.
    """
    with conn.transaction(), conn.cursor() as cursor:
        written = _insert(cursor, results)
        (contradicted,) = cursor.execute(CONTRADICTED).fetchone() or (0,)
        cursor.execute("DROP TABLE stated")
    if contradicted:
        _log.warning("the sources contradict each other on the results of %d events; see event_results", contradicted)
    return written._replace(contradicted_events=contradicted)


def import_results(conn: Connection, results: Iterable[StatedResult]) -> Written:
    """The same without looking for contradictions, which reads every result: for one file of many."""
    with conn.transaction(), conn.cursor() as cursor:
        written = _insert(cursor, results)
        cursor.execute("DROP TABLE stated")
    return written


def contradicted_events(conn: Connection) -> int:
    """How many events have sources that contradict each other."""
    row = conn.execute("SELECT count(DISTINCT event_id) FROM event_results WHERE contradicted").fetchone()
    return int(row[0]) if row else 0


def _insert(cursor: Cursor[Any], results: Iterable[StatedResult]) -> Written:
    """Leaves the results in the temporary table `stated`."""
    cursor.execute("CREATE TEMPORARY TABLE stated (LIKE results) ON COMMIT DROP")
    rows = 0
    with cursor.copy(f"COPY stated ({COLUMNS}) FROM STDIN") as copy:
        for row in _rows(results):
            copy.write_row(row)
            rows += 1
    new = sum(inserted for (inserted,) in cursor.execute(INSERT))
    return Written(new, rows - new, 0)


def results_at(conn: Connection, event_ids: Sequence[int], at: datetime) -> list[EventResult]:
    """The results of events as they were known at `at`, one an event and period."""
    with conn.cursor(row_factory=class_row(EventResult)) as cursor:
        return cursor.execute(READ, {"events": list(event_ids), "at": at}).fetchall()


def _rows(results: Iterable[StatedResult]) -> Iterator[tuple[object, ...]]:
    for result in results:
        for period, score in result.report.scores().items():
            home, away = score or (None, None)
            yield (result.event_id, result.observed_at, result.source, period, result.report.status, home, away)
