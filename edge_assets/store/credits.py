"""What the feed says of the credits that are left: with a free request, or with a poll that failed.

Stored polls state them too (`polls.credits_remaining`); these are the statements that came with none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

INSERT_STATEMENT = """
WITH expired AS (
    DELETE FROM credit_statements
    WHERE feed = %(feed)s AND stated_at < %(stated_at)s::timestamptz - make_interval(days => %(days)s)
)
INSERT INTO credit_statements (feed, stated_at, remaining, sport_id, spent)
VALUES (%(feed)s, %(stated_at)s, %(remaining)s, %(sport_id)s, %(spent)s)
ON CONFLICT (feed, stated_at) DO UPDATE SET remaining = excluded.remaining,
sport_id = excluded.sport_id, spent = credit_statements.spent + excluded.spent
"""
SELECT_NEWEST_STATEMENT = """
SELECT stated_at, remaining FROM credit_statements
WHERE feed = %s AND stated_at <= %s ORDER BY stated_at DESC LIMIT 1
"""
KEPT_DAYS = 400
"""A year and a month: spending can be compared with that of the same month a year before."""


@dataclass(frozen=True, slots=True)
class CreditStatement:
    """How many credits the feed said were left, and when; `remaining` is None where it was asked and did not say.

    `spent` is what the answers cost with which it came, for a poll of the sport `sport_id` that failed.
    """

    stated_at: datetime
    remaining: int | None
    spent: int = 0
    sport_id: int | None = None


def write_statement(conn: Connection, feed: str, statement: CreditStatement) -> None:
    """Keep a statement; those of more than `KEPT_DAYS` before it go."""
    values = {"feed": feed, "days": KEPT_DAYS, **asdict(statement)}
    conn.execute(INSERT_STATEMENT, values)


def newest_statement(conn: Connection, feed: str, until: datetime) -> CreditStatement | None:
    """The newest statement up to a moment that came with no stored poll, if any."""
    row = conn.execute(SELECT_NEWEST_STATEMENT, [feed, until]).fetchone()
    return CreditStatement(*row) if row else None
