"""Quotes on offer after a poll: the last keyframe before it and the ticks since.

A week of 500 events with 25 books has 670,000 ticks; reducing them to the 75,000 quotes on offer takes seconds. So
processes that continue from a poll's quotes save them as a keyframe now and then.

Only ticks of the poll's own feed count: a poll withdraws what its feed no longer offers, and must not withdraw books
imported from elsewhere. Imports that are held out are ignored; quarantine and findings on single books are left to the
reader, because the live path continues from what was observed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple, TypeAlias

import numpy as np
from psycopg.rows import scalar_row

from edge_assets.store.polls.packing import pack, unpack
from edge_assets.store.postgres.binary_format import (
    POSTGRES_EPOCH_MICROS,
    TIMESTAMP,
    pack_expression,
    record_dtype,
)
from ml.quotes import UNKNOWN_TIME, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    Rows: TypeAlias = NDArray[np.void]

MIN_TICK_RATIO = 0.15
"""Save a keyframe when the ticks since the last one exceed this share of its quotes. Reading a tick costs about six
times a keyframe's quote; a quote takes 11 bytes there, a tick 100 in its table."""
SELECTION_TYPES = {"event": "i4", "book": "i2", "market": "i2", "outcome": "i4", "point": "f4"}
QUOTE_TYPES = SELECTION_TYPES | {"price": "f8", "book_time": TIMESTAMP, "poll": "i8"}
TICK_TYPES = QUOTE_TYPES | {"observed_at": TIMESTAMP}
TICK_EXPRESSIONS = {
    **{name: f"t.{name}_id" for name in ("event", "book", "market", "outcome", "poll")},
    "point": "coalesce(t.point + 0::real, 'NaN')",
    "price": "coalesce(t.price, 'NaN')",
    "book_time": "coalesce(t.book_time, '-infinity')",
    "observed_at": "t.observed_at",
}
QUOTE_DTYPE, TICK_DTYPE = record_dtype(QUOTE_TYPES), record_dtype(TICK_TYPES)
"""A quote on offer and its poll, in PostgreSQL's binary format, in which ticks arrive."""
SELECTION_KEY_DTYPE = f"S{record_dtype(SELECTION_TYPES).itemsize}"
"""The bytes of a selection as one value, which NumPy sorts quickly if most of it is in order."""
SELECT_LAST_KEYFRAME_TIME = """
SELECT observed_at FROM keyframes
WHERE
    sport_id = (SELECT sport_id FROM polls WHERE id = %(poll)s) AND feed = (SELECT feed FROM polls WHERE id = %(poll)s)
    AND observed_at <= %(until)s
ORDER BY observed_at DESC LIMIT 1
"""
SELECT_KEYFRAME = """
SELECT quotes FROM keyframes
WHERE
    sport_id = (SELECT sport_id FROM polls WHERE id = %(poll)s) AND feed = (SELECT feed FROM polls WHERE id = %(poll)s)
    AND observed_at = %(since)s AND event_id = ANY(%(events)s)
"""
SELECT_FIRST_SEEN = "SELECT min(first_seen_at) - interval '1 microsecond' FROM events WHERE id = ANY(%(events)s)"
"""The events have no ticks before; this spares the server the partitions of earlier days."""
SELECT_TICKS = f"""
SELECT string_agg({pack_expression(TICK_TYPES, TICK_EXPRESSIONS)}, '')
FROM odds_ticks AS t
WHERE
    t.event_id = ANY(%(events)s) AND t.observed_at > %(since)s AND t.observed_at <= %(until)s
    AND t.poll_id IN (
        SELECT p.id
        FROM polls AS p INNER JOIN polls AS last ON p.sport_id = last.sport_id AND p.feed = last.feed
        WHERE
            last.id = %(poll)s AND p.observed_at > %(since)s AND p.observed_at <= %(until)s
            AND (
                p.import_id IS NULL OR p.import_id NOT IN (
                    SELECT h.import_id FROM quality_findings_at(%(known_at)s) AS h WHERE h.is_held AND h.is_whole_import
                )
            )
    )
"""
"""Packed into one value, because psycopg is slow per row."""
COUNT_TICKS_SINCE = """
SELECT coalesce(sum(p.ticks + p.withdrawals), 0)
FROM polls AS p INNER JOIN polls AS last ON p.sport_id = last.sport_id AND p.feed = last.feed
WHERE last.id = %(poll)s AND p.observed_at <= %(until)s AND p.observed_at > %(since)s
"""
INSERT_KEYFRAME = """
INSERT INTO keyframes (sport_id, feed, observed_at, event_id, quotes)
SELECT p.sport_id, p.feed, p.observed_at, n.event_id, n.quotes
FROM polls AS p CROSS JOIN unnest(%(events)b::integer[], %(quotes)b::bytea[]) AS n (event_id, quotes)
WHERE p.id = %(poll)s ON CONFLICT DO NOTHING
"""
DELETE_SUPERSEDED_KEYFRAMES = """
DELETE FROM keyframes AS k
WHERE
    k.observed_at < %(before)s
    AND EXISTS (
        SELECT FROM keyframes AS later
        WHERE
            later.sport_id = k.sport_id AND later.feed = k.feed AND later.observed_at > k.observed_at
            AND later.observed_at < date_trunc('day', k.observed_at, 'UTC') + interval '1 day'
    )
"""
_NO_ROWS: Rows = np.empty(0, QUOTE_DTYPE)


class Poll(NamedTuple):
    """A poll's id and moment."""

    id: int
    observed_at: datetime


def load_quotes_on_offer(
    conn: Connection, events: Sequence[int], poll: Poll, known_at: datetime | None = None
) -> tuple[QuoteBatch, NDArray[np.int64]]:
    """The quotes of events on offer after a poll, each with the poll that brought it, by selection.

    Imports held out now, or at `known_at`, are ignored; with `known_at` keyframes cannot be used.
    """
    since, rows = _load_keyframe(conn, events, poll) if known_at is None else (_find_first_seen(conn, events), _NO_ROWS)
    ticks = _load_ticks(conn, events, since, poll, known_at)
    if len(ticks):
        rows = _latest_on_offer(np.concatenate([rows, ticks]))
    *columns, book_time, polls = (
        rows[name].astype(QUOTE_DTYPE[name].newbyteorder("=")) for name in QUOTE_DTYPE.names or ()
    )
    columns.append(np.where(book_time == UNKNOWN_TIME, book_time, book_time + POSTGRES_EPOCH_MICROS))
    return QuoteBatch(*columns), polls


def save_keyframe_if_due(conn: Connection, poll: Poll, quotes: QuoteBatch, polls: NDArray[np.int64]) -> bool:
    """Save a keyframe of all quotes on offer after a poll if enough has changed since the last; return whether it did.

    `polls` (n,) are those that brought the quotes.
    """
    since = _fetch_value(conn, SELECT_LAST_KEYFRAME_TIME, poll=poll.id, until=poll.observed_at)
    ticks_since = _fetch_value(
        conn, COUNT_TICKS_SINCE, poll=poll.id, until=poll.observed_at, since=since or "-infinity"
    )
    if not len(quotes) or ticks_since <= MIN_TICK_RATIO * len(quotes):
        return False
    save_keyframe(conn, poll, quotes, polls)
    return True


def save_keyframe(conn: Connection, poll: Poll, quotes: QuoteBatch, polls: NDArray[np.int64]) -> None:
    """Save a keyframe of all quotes on offer after a poll, if there are any."""
    if not len(quotes):
        return
    rows = np.empty(len(quotes), QUOTE_DTYPE)
    for name, column in zip(QUOTE_DTYPE.names or (), (*quotes.columns(), polls), strict=True):
        rows[name] = column
    rows["book_time"][quotes.book_time != UNKNOWN_TIME] -= POSTGRES_EPOCH_MICROS
    rows = rows[np.argsort(_selection_keys(rows), kind="stable")]
    events, first_rows = np.unique(rows["event"], return_index=True)
    packed = [pack(part.tobytes()) for part in np.split(rows, first_rows[1:])]
    conn.execute(INSERT_KEYFRAME, {"poll": poll.id, "events": events.tolist(), "quotes": packed})


def compact_keyframes(conn: Connection, before: datetime) -> int:
    """Drop keyframes before a moment, except the last of each day and feed; return the number of rows.

    A week of 500 events has 50 of them, 47 MB compared with 67 MB of ticks. Reading the past then takes up to a day of
    ticks.
    """
    return conn.execute(DELETE_SUPERSEDED_KEYFRAMES, {"before": before}).rowcount


def _load_keyframe(conn: Connection, events: Sequence[int], poll: Poll) -> tuple[datetime | str, Rows]:
    """The moment of the last keyframe, and its quotes of the events."""
    since = _fetch_value(conn, SELECT_LAST_KEYFRAME_TIME, poll=poll.id, until=poll.observed_at)
    if since is None:
        return _find_first_seen(conn, events), _NO_ROWS
    with conn.cursor(binary=True, row_factory=scalar_row) as cursor:
        packed = cursor.execute(SELECT_KEYFRAME, {"events": list(events), "poll": poll.id, "since": since}).fetchall()
    return since, np.frombuffer(b"".join(map(unpack, packed)), QUOTE_DTYPE)


def _find_first_seen(conn: Connection, events: Sequence[int]) -> datetime | str:
    found: datetime | None = _fetch_value(conn, SELECT_FIRST_SEEN, events=list(events))
    return found or "-infinity"


def _load_ticks(
    conn: Connection, events: Sequence[int], since: datetime | str, poll: Poll, known_at: datetime | None
) -> Rows:
    """The ticks after a moment up to a poll, in time order."""
    values = {"events": list(events), "since": since, "until": poll.observed_at, "poll": poll.id}
    packed = _fetch_value(conn, SELECT_TICKS, **values, known_at=known_at or "infinity")
    ticks = np.frombuffer(packed or b"", TICK_DTYPE)
    ordered = ticks[np.argsort(ticks["observed_at"], kind="stable")]
    rows: Rows = ordered[list(QUOTE_DTYPE.names or ())].astype(QUOTE_DTYPE)
    return rows


def _fetch_value(conn: Connection, query: LiteralString, **values: object) -> Any:
    with conn.cursor(binary=True, row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchone()


def _latest_on_offer(rows: Rows) -> Rows:
    """The last of each selection's rows (in time order), without withdrawals."""
    selections = _selection_keys(rows)
    order = np.argsort(selections, kind="stable")
    ordered = selections[order]
    latest: Rows = rows[order[np.r_[ordered[1:] != ordered[:-1], True]]]
    on_offer: Rows = latest[~np.isnan(latest["price"])]
    return on_offer


def _selection_keys(rows: Rows) -> NDArray[np.bytes_]:
    key_dtype = np.dtype(
        {"names": ["key"], "formats": [SELECTION_KEY_DTYPE], "offsets": [0], "itemsize": rows.dtype.itemsize}
    )
    return np.ascontiguousarray(rows.view(key_dtype)["key"])
