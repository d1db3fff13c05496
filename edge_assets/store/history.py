"""Writing many polls of the past at once: looks, ticks, aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from edge_assets.clock import to_datetime
from edge_assets.store import arrays
from edge_assets.store.copying import HEADER, POSTGRES_EPOCH, TRAILER, blank_row, copy_ticks
from edge_assets.store.writer import partitions_of
from ml.quotes import EventStarts, MarketTimes, encode_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import QuoteBatch

    Int64s = NDArray[np.int64]

DAY = 86_400_000_000
AT = "timestamptz 'epoch' + {} * interval '1 microsecond'"
MICROS = "(extract(epoch FROM {}) * 1000000)::bigint"
KNOWN_LOOKS = f"""
SELECT DISTINCT {MICROS.format("observed_at")} FROM admitted_polls
WHERE
    sport_id = %(sport)s AND observed_at BETWEEN {AT.format("%(since)s")} AND {AT.format("%(until)s")}
    AND coalesce(feed = %(feed)s, true)
"""
POLLS = f"""
INSERT INTO polls (
    sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, request_ms, body_bytes,
    market_times, starts, time_assumed, import_id
)
SELECT
    %(sport)s, %(feed)s, %(run)s, {AT.format("n.at")}, clock_timestamp(), n.ticks, n.ticks, n.withdrawals, n.events,
    0, 0, %(times)s, n.starts, %(assumed)s, %(import)s
FROM unnest(
    %(at)s::bigint[], %(ticks)s::integer[], %(withdrawals)s::integer[], %(events)s::integer[], %(starts)s::bytea[]
) AS n (at, ticks, withdrawals, events, starts)
ON CONFLICT (sport_id, observed_at, feed, import_id) DO UPDATE SET
    quotes_seen = polls.quotes_seen + excluded.quotes_seen, ticks = polls.ticks + excluded.ticks,
    withdrawals = polls.withdrawals + excluded.withdrawals
RETURNING {MICROS.format("observed_at")}, id
"""
KNOWN_QUOTES = f"""
SELECT
    {MICROS.format("observed_at")}, event_id, {{seller}}, market_id, outcome_id, coalesce(point, 'NaN'),
    coalesce(price, 'NaN')
FROM {{table}}
WHERE event_id = ANY(%(events)s::integer[]) AND observed_at = ANY(%(at)s::timestamptz[])
"""
AGGREGATE_FIELDS = (
    ("observed_at", ">i8"),
    ("poll_id", ">i8"),
    ("price", ">f8"),
    ("event", ">i4"),
    ("outcome", ">i4"),
    ("point", ">f4"),
    ("market", ">i2"),
)
COPY_AGGREGATES = (
    "COPY aggregate_ticks (observed_at, poll_id, price, event_id, outcome_id, point, market_id, kind) "
    "FROM STDIN (FORMAT binary)"
)


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks of one import at one sport; moments (k,) sorted, with what was listed at each."""

    sport_id: int
    feed: str
    import_id: int
    time_assumed: bool
    at: Int64s
    starts: Sequence[EventStarts] | None = None


def known_looks(conn: Connection, sport_id: int, at: Int64s, feed: str | None = None) -> Int64s:
    """Those of the moments at which somebody, or one feed, has looked at the sport already; none that is held out."""
    if not len(at):
        return at
    values = {"sport": sport_id, "since": int(at[0]), "until": int(at[-1]), "feed": feed}
    known = np.array([row[0] for row in conn.execute(KNOWN_LOOKS, values)], np.int64)
    return at[np.isin(at, known)]


def known_quotes(
    conn: Connection, events: Int64s, at: Int64s, *, aggregates: bool = False
) -> dict[tuple[Any, ...], float]:
    """The quotes of events that are stored for some moments: price by (moment, event, book, market, outcome, point).

    What is held out does not count: the right file tells it anew. Of aggregates the kind takes the book's place. Points
    and prices may be NaN: points come as None then.
    """
    table, seller = ("admitted_aggregates", "kind") if aggregates else ("admitted_ticks", "book_id")
    values = {"events": arrays.numbers(events, "i4"), "at": arrays.times(at)}
    rows = conn.execute(KNOWN_QUOTES.format(seller=seller, table=table), values)
    return {(*row[:5], None if np.isnan(row[5]) else row[5]): row[6] for row in rows}


def write_looks(conn: Connection, looks: Looks, ticks: Int64s, withdrawals: Int64s, run_id: str) -> Int64s:
    """Store the looks (k,) with what each brought; the ids of their polls."""
    nothing = _packed(EventStarts.empty())
    values = {
        "sport": looks.sport_id,
        "feed": looks.feed,
        "run": run_id,
        "import": looks.import_id,
        "assumed": looks.time_assumed,
        "times": _packed(MarketTimes.empty()),
        "at": arrays.numbers(looks.at, "i8"),
        "ticks": arrays.numbers(ticks, "i4"),
        "withdrawals": arrays.numbers(withdrawals, "i4"),
        "events": arrays.numbers([len(s) for s in looks.starts or ()] or np.zeros(len(looks.at)), "i4"),
        "starts": arrays.blobs([_packed(s) for s in looks.starts or ()] or [nothing] * len(looks.at)),
    }
    ids: dict[int, int] = dict(conn.execute(POLLS, values).fetchall())
    return np.array([ids[at] for at in looks.at.tolist()], np.int64)


def make_room(conn: Connection, observed_at: Int64s) -> None:
    """Make what cannot be made while ticks of these moments are stored; in a transaction of its own."""
    days = np.unique(observed_at // DAY) * DAY
    partitions_of(conn).widen(conn, map(to_datetime, days.tolist()))


def make_room_for(conn: Connection, moments: Iterable[datetime]) -> None:
    """Make all that polls of these moments need; in transactions of their own."""
    partitions_of(conn).ensure_months(conn, moments)


def write_quotes(conn: Connection, quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s) -> None:
    """Append ticks, each with its moment and poll (n,), all or nothing; there is room for them."""
    with conn.transaction(), conn.cursor() as cursor:
        for table, rows in partitions_of(conn).tables(conn, observed_at):
            copy_ticks(cursor, quotes.take(rows), observed_at[rows], poll_ids[rows], table)


def write_aggregates(
    conn: Connection, quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s, kinds: Sequence[str]
) -> None:
    """Append aggregates; the `book` of each indexes `kinds`."""
    if not len(quotes):
        return
    with conn.cursor() as cursor, cursor.copy(COPY_AGGREGATES) as copy:
        for piece in _binary_aggregates(quotes, observed_at, poll_ids, kinds):
            copy.write(piece)


def _binary_aggregates(
    quotes: QuoteBatch, observed_at: Int64s, poll_ids: Int64s, kinds: Sequence[str]
) -> Iterator[bytes]:
    yield HEADER
    values = {"observed_at": observed_at - POSTGRES_EPOCH, "poll_id": poll_ids}
    values |= {name: getattr(quotes, name) for name in ("price", "event", "outcome", "point", "market")}
    pointless = np.isnan(quotes.point)
    for number, kind in enumerate(kinds):
        layout = (*AGGREGATE_FIELDS, ("kind", f"S{len(kind)}"))
        for absent in (frozenset[str](), frozenset({"point"})):
            index = np.flatnonzero((quotes.book == number) & (pointless == bool(absent)))
            records = np.full(len(index), blank_row(layout, absent))
            records["kind"] = kind.encode()
            for name in values.keys() - absent:
                records[name] = values[name][index]
            yield records.tobytes()
    yield TRAILER


def _packed(columns: EventStarts | MarketTimes) -> bytes:
    return zstandard.compress(encode_columns(columns), 3)
