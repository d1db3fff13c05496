"""Bulk writer for past polls: polls, ticks, aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.core.clock import to_datetime
from edge_assets.store.polls.packing import pack_columns
from edge_assets.store.polls.writer import get_partitions
from edge_assets.store.postgres import array_params
from edge_assets.store.postgres.binary_copy import copy_ticks
from edge_assets.store.postgres.binary_format import COPY_HEADER, COPY_TRAILER, TIMESTAMP, encode_rows
from ml.quotes import MICROS_PER_DAY, EventStarts, MarketConfirmations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import QuoteBatch

    Int64s = NDArray[np.int64]

TIMESTAMP_FROM_MICROS = "timestamptz 'epoch' + {} * interval '1 microsecond'"
MICROS_FROM_TIMESTAMP = "(extract(epoch FROM {}) * 1000000)::bigint"
SELECT_POLL_TIMES = f"""
SELECT DISTINCT {MICROS_FROM_TIMESTAMP.format("observed_at")} FROM admitted_polls
WHERE
    sport_id = %(sport)s AND observed_at BETWEEN {TIMESTAMP_FROM_MICROS.format("%(since)s")} AND
    {TIMESTAMP_FROM_MICROS.format("%(until)s")} AND coalesce(feed = %(feed)s, true)
"""
UPSERT_POLLS = f"""
INSERT INTO polls (
    sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, request_ms, body_bytes,
    market_times, starts, time_assumed, import_id
)
SELECT
    %(sport)s, %(feed)s, %(run)s, {TIMESTAMP_FROM_MICROS.format("n.at")}, clock_timestamp(), n.ticks, n.ticks,
    n.withdrawals, n.events, 0, 0, %(times)s, n.starts, %(assumed)s, %(import)s
FROM unnest(
    %(at)s::bigint[], %(ticks)s::integer[], %(withdrawals)s::integer[], %(events)s::integer[], %(starts)s::bytea[]
) AS n (at, ticks, withdrawals, events, starts)
ON CONFLICT (sport_id, observed_at, feed, import_id) DO UPDATE SET
    quotes_seen = polls.quotes_seen + excluded.quotes_seen, ticks = polls.ticks + excluded.ticks,
    withdrawals = polls.withdrawals + excluded.withdrawals
RETURNING {MICROS_FROM_TIMESTAMP.format("observed_at")}, id
"""
SELECT_STORED_QUOTES = f"""
SELECT
    {MICROS_FROM_TIMESTAMP.format("observed_at")}, event_id, {{book_column}}, market_id, outcome_id,
    coalesce(point, 'NaN'), coalesce(price, 'NaN')
FROM {{table}}
WHERE event_id = ANY(%(events)s::integer[]) AND observed_at = ANY(%(at)s::timestamptz[])
"""
AGGREGATE_TYPES = {
    "observed_at": TIMESTAMP, "poll_id": "i8", "price": "f8", "event": "i4", "outcome": "i4", "point": "f4",
    "market": "i2",
}  # fmt: skip
COPY_AGGREGATES = (
    "COPY aggregate_ticks (observed_at, poll_id, price, event_id, outcome_id, point, market_id, kind) "
    "FROM STDIN (FORMAT binary)"
)


@dataclass(frozen=True, slots=True)
class ImportedPolls:
    """Polls of one import for one sport: sorted moments (k,), with the events listed at each."""

    sport_id: int
    feed: str
    import_id: int
    time_assumed: bool
    at: Int64s
    starts: Sequence[EventStarts] | None = None


def find_stored_poll_times(conn: Connection, sport_id: int, at: Int64s, feed: str | None = None) -> Int64s:
    """The moments at which a poll of the sport, by any or one feed, is stored and not held out."""
    if not len(at):
        return at
    values = {"sport": sport_id, "since": int(at[0]), "until": int(at[-1]), "feed": feed}
    stored = np.array([row[0] for row in conn.execute(SELECT_POLL_TIMES, values)], np.int64)
    return at[np.isin(at, stored)]


def load_stored_quotes(
    conn: Connection, events: Int64s, at: Int64s, *, aggregates: bool = False
) -> dict[tuple[Any, ...], float]:
    """Stored quotes of events at some moments: price by (moment, event, book, market, outcome, point).

    What is held out does not count, because the corrected file states it again. For aggregates the kind replaces the
    book. A missing point is None, a withdrawal has price NaN.
    """
    table, book_column = ("admitted_aggregates", "kind") if aggregates else ("admitted_ticks", "book_id")
    values = {"events": array_params.encode_numbers(events, "i4"), "at": array_params.encode_timestamps(at)}
    rows = conn.execute(SELECT_STORED_QUOTES.format(book_column=book_column, table=table), values)
    return {(*row[:5], None if np.isnan(row[5]) else row[5]): row[6] for row in rows}


def write_polls(conn: Connection, polls: ImportedPolls, ticks: Int64s, withdrawals: Int64s, run_id: str) -> Int64s:
    """Store polls (k,) with their counts of ticks and withdrawals; return their ids."""
    no_starts = pack_columns(EventStarts.empty())
    values = {
        "sport": polls.sport_id,
        "feed": polls.feed,
        "run": run_id,
        "import": polls.import_id,
        "assumed": polls.time_assumed,
        "times": pack_columns(MarketConfirmations.empty()),
        "at": array_params.encode_numbers(polls.at, "i8"),
        "ticks": array_params.encode_numbers(ticks, "i4"),
        "withdrawals": array_params.encode_numbers(withdrawals, "i4"),
        "events": array_params.encode_numbers([len(s) for s in polls.starts or ()] or np.zeros(len(polls.at)), "i4"),
        "starts": array_params.encode_bytes(
            [pack_columns(s) for s in polls.starts or ()] or [no_starts] * len(polls.at)
        ),
    }
    ids: dict[int, int] = dict(conn.execute(UPSERT_POLLS, values).fetchall())
    return np.array([ids[at] for at in polls.at.tolist()], np.int64)


def ensure_month_chunks(conn: Connection, observed_at: Int64s) -> None:
    """Create chunks that cannot be created while ticks of these moments are stored; in a transaction of its own."""
    days = np.unique(observed_at // MICROS_PER_DAY) * MICROS_PER_DAY
    get_partitions(conn).ensure_month_chunks(conn, map(to_datetime, days.tolist()))


def ensure_month_partitions(conn: Connection, observed_at: Iterable[datetime]) -> None:
    """Create all partitions that polls of these moments need; in transactions of their own."""
    get_partitions(conn).ensure_months(conn, observed_at)


def write_quotes(conn: Connection, quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s) -> None:
    """Append ticks, each with its moment and poll (n,), all or nothing; their partitions must exist."""
    with conn.transaction(), conn.cursor() as cursor:
        for table, rows in get_partitions(conn).split_by_table(conn, observed_at):
            copy_ticks(cursor, quotes.take(rows), observed_at[rows], poll_ids[rows], table)


def write_aggregates(
    conn: Connection, quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s, kinds: Sequence[str]
) -> None:
    """Append aggregates; the `book` of each indexes `kinds`."""
    if not len(quotes):
        return
    with conn.cursor() as cursor, cursor.copy(COPY_AGGREGATES) as copy:
        for piece in _encode_aggregates(quotes, observed_at, poll_ids, kinds):
            copy.write(piece)


def _encode_aggregates(
    quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s, kinds: Sequence[str]
) -> Iterator[bytes]:
    columns = {name: getattr(quotes, name) for name in ("price", "event", "outcome", "point", "market")}
    columns |= {"observed_at": observed_at, "poll_id": poll_ids}
    yield COPY_HEADER
    for number, kind in enumerate(kinds):
        rows = np.flatnonzero(quotes.book == number)
        values = {name: column[rows] for name, column in columns.items()} | {"kind": kind.encode()}
        yield from encode_rows(AGGREGATE_TYPES | {"kind": f"S{len(kind)}"}, values, ("point",))
    yield COPY_TRAILER
