"""What the feed says of the credits that are left, asked for by a free request.

Polls state them too (`polls.credits_remaining`); these are the statements that no poll came with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

INSERT_STATEMENT = """
WITH expired AS (
    DELETE FROM credit_statements
    WHERE feed = %(feed)s AND stated_at < %(stated_at)s::timestamptz - make_interval(days => %(days)s)
)
INSERT INTO credit_statements (feed, stated_at, remaining) VALUES (%(feed)s, %(stated_at)s, %(remaining)s)
ON CONFLICT (feed, stated_at) DO UPDATE SET remaining = excluded.remaining
"""
SELECT_NEWEST_STATEMENT = """
SELECT stated_at, remaining FROM credit_statements WHERE feed = %s ORDER BY stated_at DESC LIMIT 1
"""
KEPT_DAYS = 400
"""A year and a month: spending can be compared with that of the same month a year before."""


@dataclass(frozen=True, slots=True)
class CreditStatement:
    """How many credits the feed said were left, and when; `remaining` is None where it was asked and did not say."""

    stated_at: datetime
    remaining: int | None


def write_statement(conn: Connection, feed: str, statement: CreditStatement) -> None:
    """Keep a statement; those of more than `KEPT_DAYS` before it go."""
    values = {"feed": feed, "stated_at": statement.stated_at, "remaining": statement.remaining, "days": KEPT_DAYS}
    conn.execute(INSERT_STATEMENT, values)


def newest_statement(conn: Connection, feed: str) -> CreditStatement | None:
    """The newest statement that was asked for by itself, if any."""
    row = conn.execute(SELECT_NEWEST_STATEMENT, [feed]).fetchone()
    return CreditStatement(*row) if row else None
