"""Coverage of closing prices in the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row, scalar_row

if TYPE_CHECKING:
    from psycopg import Connection

SELECT_CLOSING_COVERAGE = """
SELECT sport, season, book, close_result, closes, expected, percent_of_expected, percent_of_missing
FROM analytics.closing_coverage ORDER BY sport, season, book, close_result
"""
SELECT_IS_TABLE = "SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(%s)"
COUNT_EVENTS_BY_STATUS = """
SELECT
    timed.sport,
    timed.season,
    count(*) AS events,
    count(*) FILTER (WHERE concluded.event_status = 'played') AS played,
    count(*) FILTER (WHERE concluded.event_status = 'phantom') AS phantom,
    count(*) FILTER (WHERE concluded.event_status = 'contradicted') AS contradicted,
    count(*) FILTER (WHERE concluded.event_status NOT IN ('played', 'phantom', 'contradicted')) AS awaited_or_off
FROM analytics.int_events_with_season AS timed
INNER JOIN analytics.int_events_with_status AS concluded ON timed.event_id = concluded.event_id
WHERE concluded.event_status <> 'withdrawn'
GROUP BY timed.sport, timed.season ORDER BY timed.sport, timed.season
"""
SELECT_PHANTOM_EVENTS = """
SELECT timed.event_id, timed.sport, timed.season, timed.home_team, timed.away_team, timed.commence_at::text
FROM analytics.int_events_with_season AS timed
INNER JOIN analytics.int_events_with_status AS concluded ON timed.event_id = concluded.event_id
WHERE concluded.event_status = 'phantom' ORDER BY timed.commence_at, timed.event_id
"""


def is_built(conn: Connection, model: str = "closing_coverage") -> bool:
    """Whether the warehouse has been built up to `model`."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        query = "SELECT to_regclass(%s) IS NOT NULL"
        return bool(cursor.execute(query, [sql.Identifier("analytics", model).as_string()]).fetchone())


def count_events(conn: Connection) -> list[dict[str, Any]]:
    """Events of each sport and season by status; played ones have a result."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(COUNT_EVENTS_BY_STATUS).fetchall()


def load_phantom_events(conn: Connection) -> list[dict[str, Any]]:
    """Events that were listed and priced, and never played."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SELECT_PHANTOM_EVENTS).fetchall()


def count_rows(conn: Connection, model: str) -> int | None:
    """The row count of a warehouse model; None for a view, which would have to be computed."""
    table = sql.Identifier("analytics", model)
    with conn.cursor(row_factory=scalar_row) as cursor:
        if not cursor.execute(SELECT_IS_TABLE, [table.as_string()]).fetchone():
            return None
        return cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()


def count_book_moves(conn: Connection) -> int:
    """The number of stored book moves."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute("SELECT count(*) FROM pricing.book_moves").fetchone() or 0)


def load_closing_coverage(conn: Connection) -> list[dict[str, Any]]:
    """One entry per sport, season and book: closes expected and present, and missing ones by reason, with percentages.

    The percentages of a book's `missing` add up to 100.
    """
    entries: dict[tuple[str, int, str], dict[str, Any]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(SELECT_CLOSING_COVERAGE):
            header = {name: row[name] for name in ("sport", "season", "book", "expected")}
            entry = entries.setdefault(
                (row["sport"], row["season"], row["book"]), header | {"closed": 0, "closed_percent": 0.0, "missing": {}}
            )
            if row["close_result"] == "closed":
                entry |= {"closed": row["closes"], "closed_percent": row["percent_of_expected"]}
            else:
                reason = {"closes": row["closes"], "percent": row["percent_of_missing"]}
                entry["missing"][row["close_result"]] = reason
    return list(entries.values())
