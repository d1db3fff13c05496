"""Writing a poll: one transaction for the poll's row, its ticks and its payload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from psycopg.types.json import Jsonb

from edge_assets.core.clock import to_datetime
from edge_assets.store.polls.packing import pack, pack_columns
from edge_assets.store.postgres.binary_copy import copy_ticks
from edge_assets.store.postgres.partitions import Partitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from edge_assets.store.polls.scope import Scope
    from ml.quotes import EventStarts, MarketConfirmations, Micros, QuoteBatch

INSERT_POLL = """
WITH stale AS (
    DELETE FROM keyframes WHERE sport_id = %(sport_id)s AND feed = %(feed)s AND observed_at >= %(observed_at)s
),
stored AS (
    INSERT INTO polls (
        sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, rejected,
        credits_last, credits_used, credits_remaining, request_ms, body_bytes, market_times, starts, import_id, scope
    ) VALUES (
        %(sport_id)s, %(feed)s, %(run_id)s, %(observed_at)s, %(received_at)s, %(quotes_seen)s, %(ticks)s,
        %(withdrawals)s, %(events)s, %(rejected)s, %(credits_last)s, %(credits_used)s, %(credits_remaining)s,
        %(request_ms)s, %(body_bytes)s, %(market_times)s, %(starts)s, %(import_id)s, %(scope)s
    )
    ON CONFLICT (sport_id, observed_at, feed, import_id) DO NOTHING
    RETURNING id, sport_id, import_id
),
outbox AS (
    INSERT INTO poll_outbox (sport_id, poll_id) SELECT sport_id, id FROM stored WHERE import_id IS NULL
)
SELECT id FROM stored
"""
"""A poll inserted between others invalidates later keyframes. A trigger updates the totals."""
INSERT_PAYLOAD = "INSERT INTO payloads (observed_at, poll_id, body) VALUES (%s, %s, %b)"


@dataclass(frozen=True, slots=True)
class PollRecord:
    """A poll of a sport as stored in `polls`; times in microseconds, `body` the response as received.

    An imported one (`import_id`) is history: it is never published, scored or continued from. `scope` is what was
    polled if not the whole sport.
    """

    sport_id: int
    feed: str
    run_id: str
    observed_at: Micros
    received_at: Micros
    quotes_seen: int
    events: int
    request_ms: float
    body: bytes
    rejected: Mapping[str, int] = field(default_factory=dict)
    credits_last: int | None = None
    credits_used: int | None = None
    credits_remaining: int | None = None
    import_id: int | None = None
    scope: Scope | None = None


def write_poll(
    conn: Connection, poll: PollRecord, quotes: QuoteBatch, times: MarketConfirmations, starts: EventStarts
) -> int | None:
    """Store a poll atomically; return its id, or None if that moment of the sport is already stored.

    The unique key (sport, observed_at, feed, import) makes retries harmless, for example after a commit whose
    confirmation was lost.
    """
    observed_at = to_datetime(poll.observed_at)
    get_partitions(conn).ensure_day(conn, observed_at)
    values = _poll_parameters(poll, quotes) | {
        "market_times": pack_columns(times),
        "starts": pack_columns(starts),
    }
    with conn.transaction(), conn.cursor() as cursor:
        row = cursor.execute(INSERT_POLL, values).fetchone()
        if row is None:
            return None
        poll_id = int(row[0])
        copy_ticks(cursor, quotes, poll.observed_at, poll_id)
        cursor.execute(INSERT_PAYLOAD, [observed_at, poll_id, pack(poll.body)])
    return poll_id


def _poll_parameters(poll: PollRecord, quotes: QuoteBatch) -> dict[str, Any]:
    withdrawals = int(np.isnan(quotes.price).sum())
    return {
        "sport_id": poll.sport_id,
        "feed": poll.feed,
        "run_id": poll.run_id,
        "observed_at": to_datetime(poll.observed_at),
        "received_at": to_datetime(poll.received_at),
        "quotes_seen": poll.quotes_seen,
        "ticks": len(quotes) - withdrawals,
        "withdrawals": withdrawals,
        "events": poll.events,
        "rejected": Jsonb(dict(poll.rejected)),
        "credits_last": poll.credits_last,
        "credits_used": poll.credits_used,
        "credits_remaining": poll.credits_remaining,
        "request_ms": poll.request_ms,
        "body_bytes": len(poll.body),
        "import_id": poll.import_id,
        "scope": poll.scope and Jsonb(poll.scope.to_json()),
    }


_PARTITIONS_BY_CONNECTION: WeakKeyDictionary[Connection, Partitions] = WeakKeyDictionary()


def get_partitions(conn: Connection) -> Partitions:
    """The partitions as this connection knows them."""
    known = _PARTITIONS_BY_CONNECTION.get(conn)
    if known is None:
        known = _PARTITIONS_BY_CONNECTION[conn] = Partitions(conn)
    return known
