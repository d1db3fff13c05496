"""A sport's polls by day, and the moves found in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.store.polls.as_of import load_clean_mask, load_last_quotes
from edge_assets.store.polls.packing import unpack_columns
from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns, write_columns
from ml.quotes import UNKNOWN_TIME, EventStarts, MarketConfirmations, PollChanges, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.store.postgres.columns import Columns

SELECT_DUE_DAYS = """
WITH touched AS (
    SELECT DISTINCT p.sport_id, (p.observed_at AT TIME ZONE 'UTC')::date AS day
    FROM analytics.int_polls_unpriced AS n INNER JOIN polls AS p ON n.poll_id = p.id
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
"""A following day without polls has no moves; most bursts are today's, so including tomorrow would process today twice.
Polls whose time is assumed make no day due: twelve seasons of football would add thousands of days without a move."""
SELECT_POLLS_OF_DAY = """
SELECT p.id, p.observed_at, p.starts FROM admitted_polls AS p
WHERE p.sport_id = %(sport)s AND p.observed_at >= %(since)s AND p.observed_at < %(until)s AND NOT p.time_assumed
ORDER BY p.observed_at, p.id
"""
SELECT_PREVIOUS_POLL = """
SELECT p.id, p.observed_at, p.starts FROM admitted_polls AS p
WHERE p.sport_id = %(sport)s AND p.observed_at < %(since)s AND NOT p.time_assumed
ORDER BY p.observed_at DESC, p.id DESC LIMIT 1
"""
SELECT_TICKS_OF_DAY = """
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
MOVE_TYPES = {
    "event_id": "i4", "market_id": "i2", "book_id": "i2", "moved_at": TIMESTAMP, "position_before": "f8",
    "position_after": "f8", "seconds_since_last_poll": "f8",
}  # fmt: skip
FOLLOWER_TYPES = {"books_before": "i2", "books_after": "i2", "leader_id": "i2", "lag": "f8"}
BOOK_MOVE_TYPES = MOVE_TYPES | FOLLOWER_TYPES | {"in_steam": "?"}
MOVEMENT_TYPES = {
    "event_id": "i4", "market_id": "i2", "moved_at": TIMESTAMP, "kind": "i2", "direction": "i2", "size": "f8",
}  # fmt: skip
DELETE_MOVES = """
DELETE FROM pricing.{table} AS m USING events AS e
WHERE m.event_id = e.id AND e.sport_id = %(sport)s AND m.moved_at >= %(since)s AND m.moved_at < %(until)s
"""


class SportDay(NamedTuple):
    """A sport's day, UTC."""

    sport_id: int
    day: date

    @property
    def since(self) -> datetime:
        """The start of the day."""
        return datetime.combine(self.day, time(), UTC)

    @property
    def until(self) -> datetime:
        """The start of the next day."""
        return self.since + timedelta(days=1)


def load_due_days(conn: Connection) -> list[SportDay]:
    """The days of pending polls, and each following day with polls, because its state depends on them."""
    return [SportDay(*row) for row in conn.execute(SELECT_DUE_DAYS)]


def iter_polls(conn: Connection, sport_day: SportDay, since: datetime) -> Iterator[PollChanges]:
    """The polls of a day from `since` on, preceded by the quotes on offer before.

    Polls whose time is assumed carry no movement and are left out; so is a day with a single book.
    """
    values = {"sport": sport_day.sport_id, "since": since, "until": sport_day.until}
    ticks = read_columns(conn, SELECT_TICKS_OF_DAY, TICK_TYPES, values)
    if len(np.unique(ticks["book"])) <= 1:
        return
    rows = conn.execute(SELECT_POLLS_OF_DAY, values).fetchall()
    before = conn.execute(SELECT_PREVIOUS_POLL, values).fetchone()
    if before:
        quotes, polls = load_last_quotes(conn, sport_day.sport_id, before[0])
        yield _poll_changes(before, quotes.take(load_clean_mask(conn, quotes, polls)))
    poll = ticks.pop("poll")
    quotes = QuoteBatch(**ticks, book_time=np.full(len(poll), UNKNOWN_TIME))
    order = np.argsort(poll, kind="stable")
    for row in rows:
        indices = order[slice(*np.searchsorted(poll, [row[0], row[0] + 1], sorter=order))]
        yield _poll_changes(row, quotes.take(indices))


def _poll_changes(row: tuple[int, datetime, bytes], quotes: QuoteBatch) -> PollChanges:
    poll_id, at, packed = row
    starts = unpack_columns(EventStarts, packed)
    return PollChanges(poll_id, "", to_micros(at), to_micros(at), "", quotes, MarketConfirmations.empty(), starts)


def replace_moves(conn: Connection, sport_day: SportDay, tail: timedelta, moves: Columns, movements: Columns) -> None:
    """Replace a day's moves (`BOOK_MOVE_TYPES`, `MOVEMENT_TYPES`).

    `moves` may start up to `tail` before the day, because the day may add followers to moves before midnight.
    """
    values = {"sport": sport_day.sport_id, "until": sport_day.until}
    with conn.cursor() as cursor:
        for table, since, types, columns in (
            ("book_moves", sport_day.since - tail, BOOK_MOVE_TYPES, moves),
            ("movements", sport_day.since, MOVEMENT_TYPES, movements),
        ):
            cursor.execute(DELETE_MOVES.format(table=table), values | {"since": since})
            write_columns(cursor, f"pricing.{table}", types, columns)
