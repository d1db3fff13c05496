"""Use of a metered feed's credits, by queries bounded by a day's polls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge_assets.store.polls.credits import find_newest_credit_statement

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

SELECT_CREDITS_SPENT = """
SELECT
    s.key,
    sum(p.spent) FILTER (WHERE p.at >= date_trunc('day', %(now)s::timestamptz, 'UTC'))::bigint,
    sum(p.spent)::bigint, min(p.at)
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT credits_last AS spent, observed_at AS at FROM polls
    WHERE sport_id = s.id AND observed_at >= %(since)s AND feed = %(feed)s AND import_id IS NULL AND credits_last > 0
    UNION ALL
    SELECT spent, stated_at FROM credit_statements
    WHERE sport_id = s.id AND stated_at >= %(since)s AND feed = %(feed)s AND spent > 0
) AS p
GROUP BY s.key
UNION ALL
SELECT
    'results', sum(credits_last) FILTER (WHERE observed_at >= date_trunc('day', %(now)s::timestamptz, 'UTC'))::bigint,
    sum(credits_last)::bigint, min(observed_at)
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT credits_last, observed_at FROM result_polls
    WHERE sport_id = s.id AND source = 'odds-api' AND observed_at >= %(since)s AND credits_last > 0
) AS l
"""
DAY = timedelta(days=1)
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
RESULTS_KEY = "results"
"""The key for credits spent on results instead of a sport's odds."""


@dataclass(frozen=True, slots=True)
class CreditUse:
    """Credits `remaining`: what the feed stated at `stated_at` (None: it never did) minus known spending since; and
    spending.

    `today` (since midnight, UTC) and `recent` (since `recent_since`, at most a day ago) are by sport, or `RESULTS_KEY`,
    and hold what failed polls cost.
    """

    remaining: int | None
    stated_at: datetime | None
    today: dict[str, int]
    recent: dict[str, int]
    recent_since: datetime | None


def load_credit_use(conn: Connection, feed: str, now: datetime) -> CreditUse:
    """Credits spent since midnight (UTC) and in the day before `now`, and credits left as last stated.

    Statements dated after `now` come from a clock that has been set back since, and are ignored.
    """
    spent = conn.execute(SELECT_CREDITS_SPENT, {"feed": feed, "now": now, "since": now - DAY}).fetchall()
    statements = find_newest_credit_statement(conn, feed, now + MAX_CLOCK_DIFFERENCE)
    return CreditUse(
        statements.remaining if statements else None,
        statements.stated_at if statements else None,
        {key: day for key, day, _, _ in spent if day},
        {key: recent for key, _, recent, _ in spent if recent},
        min((first for _, _, recent, first in spent if recent), default=None),
    )
