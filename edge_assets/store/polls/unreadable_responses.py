"""Answers of the feed that could not be parsed, kept as received for fixing the parser."""

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
"""Kept part of a body, before compression; larger than the answers of a working feed."""
UNUSABLE_REASON = "reason not storable"
MAX_ANSWERS_PER_SPORT = 20
"""Distinct answers kept per sport, the newest; a broken feed sends a new one at every poll."""
UPSERT_UNREADABLE_ANSWER = """
INSERT INTO unreadable_answers (
    sport_id, feed, run_id, sha256, first_received_at, last_received_at, reason, body_bytes, body
) VALUES (
    %(sport_id)s, %(feed)s, %(run_id)s, %(sha256)b, %(received_at)s, %(received_at)s, %(reason)s, %(body_bytes)s,
    %(body)b
)
ON CONFLICT (sport_id, feed, sha256) DO UPDATE SET
    last_received_at = excluded.last_received_at, times = unreadable_answers.times + 1, run_id = excluded.run_id,
    reason = excluded.reason
"""
DELETE_OLDEST_ANSWERS = """
DELETE FROM unreadable_answers
WHERE
    sport_id = %(sport_id)s AND id NOT IN (
        SELECT id FROM unreadable_answers WHERE sport_id = %(sport_id)s
        ORDER BY last_received_at DESC, id DESC LIMIT %(kept)s
    )
"""
SELECT_UNREADABLE_ANSWERS = """
SELECT
    u.id, s.key AS sport, u.feed, u.run_id, u.first_received_at, u.last_received_at, u.times, u.reason, u.body_bytes,
    u.body
FROM unreadable_answers AS u INNER JOIN sports AS s ON u.sport_id = s.id
ORDER BY u.last_received_at DESC, u.id DESC
"""


@dataclass(frozen=True, slots=True)
class UnreadableAnswer:
    """An answer that came `times` times with the same `body_bytes`; `body` is its beginning, as received."""

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


def write_unreadable_answer(
    conn: Connection, sport_id: int, feed: str, run_id: str, body: bytes, received_at: Micros, reason: str
) -> None:
    """Store an answer with the reason why it could not be parsed; count repetitions of the same bytes."""
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
        conn.execute(UPSERT_UNREADABLE_ANSWER, values)
        conn.execute(DELETE_OLDEST_ANSWERS, {"sport_id": sport_id, "kept": MAX_ANSWERS_PER_SPORT})


def load_unreadable_answers(conn: Connection) -> list[UnreadableAnswer]:
    """All stored unreadable answers, the newest first."""
    with conn.cursor(row_factory=class_row(UnreadableAnswer)) as cursor:
        return [replace(answer, body=unpack(answer.body)) for answer in cursor.execute(SELECT_UNREADABLE_ANSWERS)]


def _clean_reason(reason: str) -> str:
    try:
        return clean_text(reason[:MAX_TEXT_LENGTH])
    except UnusableTextError:
        return UNUSABLE_REASON
