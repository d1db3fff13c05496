"""Committed polls that may not have been published to the stream yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.rows import scalar_row

from edge_assets.store.polls import as_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from ml.quotes import PollChanges

MAX_POLLS_PER_BATCH = 100
"""Polls rebuilt at once; one with everything on offer takes some megabytes."""
DELETE_SCORED_POLLS = """
DELETE FROM poll_outbox AS o USING scorer_progress AS done
WHERE o.sport_id = %s AND done.sport_id = o.sport_id AND o.poll_id <= done.poll_id
"""
"""Polls that the scorer has already read from the database need not be published."""
SELECT_OLDEST_UNPUBLISHED = "SELECT poll_id FROM poll_outbox WHERE sport_id = %s ORDER BY poll_id LIMIT %s"


def load_unpublished_polls(conn: Connection, sport_id: int) -> list[PollChanges]:
    """Up to `MAX_POLLS_PER_BATCH` polls of a sport that the stream may not have, oldest first, rebuilt from their
    ticks.

    Scored polls leave the outbox unpublished.
    """
    conn.execute(DELETE_SCORED_POLLS, [sport_id])
    with conn.cursor(row_factory=scalar_row) as cursor:
        ids = cursor.execute(SELECT_OLDEST_UNPUBLISHED, [sport_id, MAX_POLLS_PER_BATCH]).fetchall()
    return [as_of.load_poll_changes(conn, poll_id) for poll_id in ids]


def mark_published(conn: Connection, sport_id: int, poll_ids: Sequence[int]) -> None:
    """Take polls of a sport out of the outbox."""
    conn.execute("DELETE FROM poll_outbox WHERE sport_id = %s AND poll_id = ANY(%s)", [sport_id, list(poll_ids)])
