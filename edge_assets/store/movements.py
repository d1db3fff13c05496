"""Days of a sport's polls as they came, and the moves found in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import zstandard

from edge_assets.clock import micros
from edge_assets.store.bulk import TIME, read_columns, write_columns
from edge_assets.store.readers import are_clean, last_quotes
from ml.quotes import UNKNOWN_TIME, EventStarts, MarketTimes, PollChanges, QuoteBatch, decode_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.store.bulk import Columns

DAYS = """
WITH touched AS (
    SELECT DISTINCT p.sport_id, (p.observed_at AT TIME ZONE 'UTC')::date AS day
    FROM analytics.int_polls_pending AS n INNER JOIN polls AS p ON n.poll_id = p.id
    WHERE NOT p.time_assumed
),
following AS (
    SELECT sport_id, day + 1 AS day FROM touched AS t
    WHERE EXISTS (
        SELECT FROM polls AS p
        WHERE
            p.sport_id = t.sport_id AND NOT p.time_assumed
            AND p.observed_at >= (t.day + 1)::timestamp AT TIME ZONE 'UTC'
            AND p.observed_at < (t.day + 2)::timestamp AT TIME ZONE 'UTC'
    )
)
SELECT sport_id, day FROM touched UNION SELECT sport_id, day FROM following ORDER BY sport_id, day
"""
"""A following day without polls has no moves, and most bursts are of today: watching tomorrow would be watching today
once more. Polls whose time is assumed make no day due: twelve seasons of football would be thousands without a move."""
POLLS = """
SELECT p.id, p.observed_at, p.starts FROM admitted_polls AS p
WHERE p.sport_id = %(sport)s AND p.observed_at >= %(since)s AND p.observed_at < %(until)s AND NOT p.time_assumed
ORDER BY p.observed_at, p.id
"""
POLL_BEFORE = """
SELECT p.id, p.observed_at, p.starts FROM admitted_polls AS p
WHERE p.sport_id = %(sport)s AND p.observed_at < %(since)s AND NOT p.time_assumed
ORDER BY p.observed_at DESC, p.id DESC LIMIT 1
"""
TICKS = """
SELECT
    t.poll_id, t.event_id, t.book_id, t.market_id, t.outcome_id, coalesce(t.point, 'NaN'), coalesce(t.price, 'NaN')
FROM clean_ticks AS t INNER JOIN polls AS p ON t.poll_id = p.id
WHERE
    t.observed_at >= %(since)s AND t.observed_at < %(until)s
    AND p.sport_id = %(sport)s AND NOT p.time_assumed
ORDER BY t.observed_at, t.poll_id
"""
TICK_TYPES = {
    "poll": "i8", "event": "i4", "book": "i2", "market": "i2", "outcome": "i4", "point": "f4", "price": "f8",
}  # fmt: skip
FOUND = {
    "event_id": "i4", "market_id": "i2", "book_id": "i2", "moved_at": TIME, "position_before": "f8",
    "position_after": "f8", "since_look": "f8",
}  # fmt: skip
AROUND = {"books_before": "i2", "books_after": "i2", "leader_id": "i2", "lag": "f8"}
BOOK_MOVES = FOUND | AROUND | {"in_steam": "?"}
MOVEMENTS = {
    "event_id": "i4", "market_id": "i2", "moved_at": TIME, "kind": "i2", "direction": "i2", "size": "f8",
}  # fmt: skip
FORGET = """
DELETE FROM pricing.{table} AS m USING events AS e
WHERE m.event_id = e.id AND e.sport_id = %(sport)s AND m.moved_at >= %(since)s AND m.moved_at < %(until)s
"""


class SportDay(NamedTuple):
    """A sport's day, UTC."""

    sport_id: int
    day: date

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.day, time(), UTC)

    @property
    def ends(self) -> datetime:
        """The first moment of the next."""
        return self.begins + timedelta(days=1)


def days_due(conn: Connection) -> list[SportDay]:
    """The days that pending polls touch: their own, and the next, which remembers them, if it has polls."""
    return [SportDay(*row) for row in conn.execute(DAYS)]


def polls_as_they_came(conn: Connection, of: SportDay, since: datetime) -> Iterator[PollChanges]:
    """The polls from `since` to the end of the day, after what was on offer before.

    Polls whose time is assumed say nothing of movement and are left out; so is a day with a single book, which
    neither leads nor follows.
    """
    values = {"sport": of.sport_id, "since": since, "until": of.ends}
    ticks = read_columns(conn, TICKS, TICK_TYPES, values)
    if len(np.unique(ticks["book"])) <= 1:
        return
    looks = conn.execute(POLLS, values).fetchall()
    before = conn.execute(POLL_BEFORE, values).fetchone()
    if before:
        quotes, polls = last_quotes(conn, of.sport_id, before[0])
        yield _changes(before, quotes.take(are_clean(conn, quotes, polls)))
    poll = ticks.pop("poll")
    quotes = QuoteBatch(**ticks, book_time=np.full(len(poll), UNKNOWN_TIME))
    order = np.argsort(poll, kind="stable")
    for look in looks:
        mine = order[slice(*np.searchsorted(poll, [look[0], look[0] + 1], sorter=order))]
        yield _changes(look, quotes.take(mine))


def _changes(look: tuple[int, datetime, bytes], quotes: QuoteBatch) -> PollChanges:
    poll_id, at, packed = look
    starts = decode_columns(EventStarts, zstandard.decompress(packed))
    return PollChanges(poll_id, "", micros(at), micros(at), "", quotes, MarketTimes.empty(), starts)


def replace_moves(conn: Connection, of: SportDay, tail: timedelta, moves: Columns, movements: Columns) -> None:
    """Put a day's moves (`BOOK_MOVES`, `MOVEMENTS`) in the place of the old ones.

    `moves` may begin by `tail` before the day: what was seen on it may belong to moves before midnight.
    """
    values = {"sport": of.sport_id, "until": of.ends}
    with conn.cursor() as cursor:
        for table, since, types, columns in (
            ("book_moves", of.begins - tail, BOOK_MOVES, moves),
            ("movements", of.begins, MOVEMENTS, movements),
        ):
            cursor.execute(FORGET.format(table=table), values | {"since": since})
            write_columns(cursor, f"pricing.{table}", types, columns)
