"""How much of the market's closes the warehouse holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row, scalar_row

if TYPE_CHECKING:
    from psycopg import Connection

COVERAGE = """
SELECT sport, season, book, outcome_of_close, closes, expected, percent_of_expected, percent_of_missing
FROM analytics.closing_coverage ORDER BY sport, season, book, outcome_of_close
"""
IS_TABLE = "SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(%s)"
BUILT = "SELECT to_regclass('analytics.closing_coverage') IS NOT NULL"


def is_built(conn: Connection) -> bool:
    """Whether the warehouse has been built."""
    row = conn.execute(BUILT).fetchone()
    return row is not None and bool(row[0])


def row_count(conn: Connection, model: str) -> int | None:
    """How many rows a model of the warehouse has; None for a view: to count it would be to compute it."""
    table = sql.Identifier("analytics", model)
    with conn.cursor(row_factory=scalar_row) as cursor:
        if not cursor.execute(IS_TABLE, [table.as_string()]).fetchone():
            return None
        return cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()


def closing_coverage(conn: Connection) -> list[dict[str, Any]]:
    """One entry a sport, season and book: closes expected and there, and the missing ones by reason with percentages.

    The percentages of a book's `missing` add up to 100.
    """
    entries: dict[tuple[str, int, str], dict[str, Any]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(COVERAGE):
            place = {name: row[name] for name in ("sport", "season", "book", "expected")}
            entry = entries.setdefault(
                (row["sport"], row["season"], row["book"]), place | {"closed": 0, "closed_percent": 0.0, "missing": {}}
            )
            if row["outcome_of_close"] == "closed":
                entry |= {"closed": row["closes"], "closed_percent": row["percent_of_expected"]}
            else:
                reason = {"closes": row["closes"], "percent": row["percent_of_missing"]}
                entry["missing"][row["outcome_of_close"]] = reason
    return list(entries.values())
