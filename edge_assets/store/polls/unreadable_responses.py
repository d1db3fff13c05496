"""Responses of the feed that could not be parsed, kept as received for fixing the parser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from edge_assets.core.clock import to_datetime
from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text
from edge_assets.store.polls.packing import pack, unpack

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

MAX_BODY_BYTES = 2**20
"""Kept part of a body, before compression; larger than the responses of a working feed."""
UNUSABLE_REASON = "reason not storable"
MAX_RESPONSES_PER_SPORT = 20
"""Distinct responses kept per sport, the newest; a broken feed sends a new one at every poll."""
UPSERT_UNREADABLE_RESPONSE = """
INSERT INTO unreadable_responses (
    sport_id, feed, run_id, sha256, first_received_at, last_received_at, reason, body_bytes, body
) VALUES (
    %(sport_id)s, %(feed)s, %(run_id)s, %(sha256)b, %(received_at)s, %(received_at)s, %(reason)s, %(body_bytes)s,
    %(body)b
)
ON CONFLICT (sport_id, feed, sha256) DO UPDATE SET
    last_received_at = excluded.last_received_at, times = unreadable_responses.times + 1, run_id = excluded.run_id,
    reason = excluded.reason
"""
DELETE_OLDEST_RESPONSES = """
DELETE FROM unreadable_responses
WHERE
    sport_id = %(sport_id)s AND id NOT IN (
        SELECT id FROM unreadable_responses WHERE sport_id = %(sport_id)s
        ORDER BY last_received_at DESC, id DESC LIMIT %(kept)s
    )
"""
SELECT_UNREADABLE_RESPONSES = """
SELECT
    u.id, s.key AS sport, u.feed, u.run_id, u.first_received_at, u.last_received_at, u.times, u.reason, u.body_bytes,
    u.body
FROM unreadable_responses AS u INNER JOIN sports AS s ON u.sport_id = s.id
ORDER BY u.last_received_at DESC, u.id DESC
"""


@dataclass(frozen=True, slots=True)
class UnreadableResponse:
    """A response that came `times` times with the same `body_bytes`; `body` is its beginning, as received."""

    id: int
    sport: str
    feed: str
    run_id: str
    first_received_at: datetime
    last_received_at: datetime
    times: int
    reason: str
    body_bytes: int
    body: bytes


def write_unreadable_response(
    conn: Connection, sport_id: int, feed: str, run_id: str, body: bytes, received_at: Micros, reason: str
) -> None:
    """Store a response with the reason why it could not be parsed; count repetitions of the same bytes."""
    values = {
        "sport_id": sport_id,
        "feed": feed,
        "run_id": run_id,
        "sha256": sha256(body).digest(),
        "received_at": to_datetime(received_at),
        "reason": _clean_reason(reason),
        "body_bytes": len(body),
        "body": pack(body[:MAX_BODY_BYTES]),
    }
    with conn.transaction():
        conn.execute(UPSERT_UNREADABLE_RESPONSE, values)
        conn.execute(DELETE_OLDEST_RESPONSES, {"sport_id": sport_id, "kept": MAX_RESPONSES_PER_SPORT})


def load_unreadable_responses(conn: Connection) -> list[UnreadableResponse]:
    """All stored unreadable responses, the newest first."""
    with conn.cursor(row_factory=class_row(UnreadableResponse)) as cursor:
        return [
            replace(response, body=unpack(response.body)) for response in cursor.execute(SELECT_UNREADABLE_RESPONSES)
        ]


def _clean_reason(reason: str) -> str:
    try:
        return clean_text(reason[:MAX_TEXT_LENGTH])
    except UnusableTextError:
        return UNUSABLE_REASON
