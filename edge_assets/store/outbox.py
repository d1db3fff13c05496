"""Polls that are committed but not known to have reached the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.rows import scalar_row

from edge_assets.store import readers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from ml.quotes import PollChanges


def unpublished_polls(conn: Connection, sport_id: int) -> Iterator[PollChanges]:
    """The polls of a sport that the stream may not have, oldest first, rebuilt from their ticks."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        ids = cursor.execute(
            "SELECT id FROM polls WHERE sport_id = %s AND published_at IS NULL ORDER BY id", [sport_id]
        ).fetchall()
    return (readers.changes(conn, poll_id) for poll_id in ids)


def mark_published(conn: Connection, poll_ids: Sequence[int]) -> None:
    """Take polls out of the outbox."""
    conn.execute("UPDATE polls SET published_at = clock_timestamp() WHERE id = ANY(%s)", [list(poll_ids)])
