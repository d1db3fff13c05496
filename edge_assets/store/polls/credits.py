"""The feed's statements of remaining credits, and spending since.

Statements come with stored polls (`polls.credits_remaining`), free requests and failed polls (`credit_statements`). An
response that states its cost but not what is left counts as spending only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

INSERT_CREDIT_STATEMENT = """
WITH expired AS (
    DELETE FROM credit_statements
    WHERE feed = %(feed)s AND stated_at < %(stated_at)s::timestamptz - make_interval(days => %(days)s)
)
INSERT INTO credit_statements (feed, stated_at, remaining, sport_id, spent)
VALUES (%(feed)s, %(stated_at)s, %(remaining)s, %(sport_id)s, %(spent)s)
ON CONFLICT (feed, stated_at) DO UPDATE SET remaining = coalesce(excluded.remaining, credit_statements.remaining),
sport_id = excluded.sport_id, spent = credit_statements.spent + excluded.spent
"""
SELECT_NEWEST_CREDIT_STATEMENT = """
SELECT stated_at, remaining FROM (
    SELECT p.stated_at, p.remaining
    FROM sports AS s
    CROSS JOIN LATERAL (
        SELECT least(observed_at, received_at) AS stated_at, credits_remaining AS remaining FROM polls
        WHERE sport_id = s.id AND feed = %(feed)s AND import_id IS NULL AND credits_remaining IS NOT NULL
        ORDER BY observed_at DESC LIMIT 1
    ) AS p
    UNION ALL
    SELECT stated_at, remaining FROM credit_statements WHERE feed = %(feed)s AND remaining IS NOT NULL
) AS stated
WHERE stated_at <= %(until)s ORDER BY stated_at DESC LIMIT 1
"""
"""After a clock was set back, polls are dated after the last one before it, and only `received_at` is right."""
SELECT_CREDITS_SPENT_SINCE = """
SELECT sum(spent)::bigint FROM (
    SELECT spent FROM credit_statements
    WHERE feed = %(feed)s AND stated_at > %(since)s AND stated_at <= %(until)s
    UNION ALL
    SELECT coalesce(p.credits_last, %(usual_cost)s)
    FROM sports AS s
    CROSS JOIN LATERAL (
        SELECT credits_last FROM polls
        WHERE sport_id = s.id AND feed = %(feed)s AND import_id IS NULL AND observed_at > %(since)s
        AND least(observed_at, received_at) > %(since)s AND least(observed_at, received_at) <= %(until)s
    ) AS p
) AS later
"""
"""No poll that stated what is left is later than the newest statement."""
SELECT_NEWEST_POLL_WITHOUT_CREDITS = """
SELECT stated_at FROM credit_statements
WHERE feed = %s AND stated_at <= %s AND remaining IS NULL AND sport_id IS NULL ORDER BY stated_at DESC LIMIT 1
"""
STATEMENT_RETENTION_DAYS = 400
"""A year and a month: spending can be compared with that of the same month a year before."""


@dataclass(frozen=True, slots=True)
class CreditStatement:
    """Remaining credits as the feed stated them, and when; `remaining` is None if it did not.

    `spent` is the cost of the response, for a failed poll of the sport `sport_id`. A statement without a sport came
    with a free request for what is left.
    """

    stated_at: datetime
    remaining: int | None
    spent: int = 0
    sport_id: int | None = None


def write_credit_statement(conn: Connection, feed: str, statement: CreditStatement) -> None:
    """Store a statement; delete those more than `STATEMENT_RETENTION_DAYS` older."""
    values = {"feed": feed, "days": STATEMENT_RETENTION_DAYS, **asdict(statement)}
    conn.execute(INSERT_CREDIT_STATEMENT, values)


def find_newest_credit_statement(
    conn: Connection, feed: str, until: datetime, usual_cost: int = 0
) -> CreditStatement | None:
    """The newest statement of what is left, up to a moment, minus known spending since; None if there is none. A stored
    poll without a stated cost counts `usual_cost` credits.
    """
    values: dict[str, Any] = {"feed": feed, "until": until, "usual_cost": usual_cost}
    row = conn.execute(SELECT_NEWEST_CREDIT_STATEMENT, values).fetchone()
    if row is None:
        return None
    stated_at, remaining = row
    [spent] = conn.execute(SELECT_CREDITS_SPENT_SINCE, values | {"since": stated_at}).fetchone() or (None,)
    return CreditStatement(stated_at, remaining - (spent or 0))


def load_newest_silent_poll(conn: Connection, feed: str, until: datetime) -> CreditStatement | None:
    """When a free request up to a moment last returned no statement of what is left, if ever."""
    row = conn.execute(SELECT_NEWEST_POLL_WITHOUT_CREDITS, [feed, until]).fetchone()
    return CreditStatement(row[0], None) if row else None
