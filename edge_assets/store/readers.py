"""Reading quotes back: what is on offer after a poll, what was at a moment, what a poll changed.

Every reader of quotes is point in time: it takes a poll or a moment and sees nothing younger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import zstandard
from psycopg.rows import scalar_row

from edge_assets.clock import micros
from ml.quotes import UNKNOWN_TIME, EventStarts, MarketTimes, PollChanges, QuoteBatch, decode_columns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import Micros

QUOTE_COLUMNS = """
event_id, book_id, market_id, outcome_id, coalesce(point, 'NaN'), coalesce(price, 'NaN'),
coalesce((extract(epoch FROM book_time) * 1000000)::bigint, %(unknown)s), poll_id
"""
LAST_QUOTES = f"""
SELECT {QUOTE_COLUMNS}
FROM (
    SELECT DISTINCT ON (t.event_id, t.book_id, t.market_id, t.outcome_id, t.point) t.*
    FROM unnest(%(events)s::integer[]) AS listed (event_id)
    INNER JOIN odds_ticks AS t ON listed.event_id = t.event_id
    WHERE t.observed_at >= %(since)s AND t.observed_at <= %(until)s AND t.poll_id <= %(poll)s
    ORDER BY t.event_id, t.book_id, t.market_id, t.outcome_id, t.point, t.observed_at DESC, t.poll_id DESC
) AS last
WHERE price IS NOT NULL
"""
AS_OF = f"""
SELECT {QUOTE_COLUMNS}
FROM (
    SELECT DISTINCT ON (book_id, market_id, outcome_id, point) *
    FROM odds_ticks
    WHERE event_id = %(event)s AND observed_at >= %(since)s AND observed_at <= %(at)s
    ORDER BY book_id, market_id, outcome_id, point, observed_at DESC, poll_id DESC
) AS last
WHERE price IS NOT NULL
"""
POLL_TICKS = f"""
SELECT {QUOTE_COLUMNS}
FROM odds_ticks WHERE observed_at = %(at)s AND poll_id = %(poll)s
"""


class Poll(NamedTuple):
    """A poll's place in time."""

    id: int
    observed_at: datetime


class AsOf(NamedTuple):
    """Quotes on offer at a moment, and each one's age in seconds (n,): since its book last confirmed it.

    Where the last poll does not list the quote's market the age counts from the tick's own book time.
    """

    quotes: QuoteBatch
    poll_ids: NDArray[np.int64]
    age_seconds: NDArray[np.float64]


def last_poll(conn: Connection, sport_id: int, at: datetime | None = None) -> Poll | None:
    """The newest poll of a sport, or the newest at or before `at`."""
    row = conn.execute(
        "SELECT id, observed_at FROM polls WHERE sport_id = %s AND observed_at <= %s ORDER BY observed_at DESC LIMIT 1",
        [sport_id, at or "infinity"],
    ).fetchone()
    return Poll(*row) if row else None


def last_quotes(
    conn: Connection, sport_id: int, upto_poll: int | None = None
) -> tuple[QuoteBatch, NDArray[np.int64]]:
    """The quotes on offer after a poll (default: the last), with the poll that brought each."""
    poll = _poll(conn, sport_id, upto_poll)
    if poll is None:
        return _quotes(())
    starts = market_state(conn, sport_id, poll.id)[1]
    events = starts.event.tolist()
    return _quotes(
        conn.execute(
            LAST_QUOTES,
            {
                "events": events,
                "since": _first_seen(conn, events),
                "until": poll.observed_at,
                "poll": poll.id,
                "unknown": UNKNOWN_TIME,
            },
        )
    )


def market_state(
    conn: Connection, sport_id: int, upto_poll: int | None = None
) -> tuple[MarketTimes, EventStarts, Micros]:
    """Each market's last confirmation, each listed event's start and the moment, at a poll (default: the last)."""
    poll = _poll(conn, sport_id, upto_poll)
    row = poll and conn.execute("SELECT market_times, starts FROM polls WHERE id = %s", [poll.id]).fetchone()
    if poll is None or row is None:
        return MarketTimes.empty(), EventStarts.empty(), 0
    return _unpacked(MarketTimes, row[0]), _unpacked(EventStarts, row[1]), micros(poll.observed_at)


def as_of(conn: Connection, event_id: int, at: datetime) -> AsOf:
    """The last quote of every book for every selection of an event at `at`, with its age."""
    values = {"event": event_id, "at": at, "since": _first_seen(conn, [event_id]), "unknown": UNKNOWN_TIME}
    quotes, polls = _quotes(conn.execute(AS_OF, values))
    with conn.cursor(row_factory=scalar_row) as cursor:
        sport_id = cursor.execute("SELECT sport_id FROM events WHERE id = %s", [event_id]).fetchone()
    poll = last_poll(conn, int(sport_id or 0), at)
    times = market_state(conn, int(sport_id or 0), poll.id)[0] if poll else MarketTimes.empty()
    return AsOf(quotes, polls, (micros(at) - confirmed_at(quotes, times)) / 1e6)


def confirmed_at(quotes: QuoteBatch, times: MarketTimes) -> NDArray[np.int64]:
    """When each quote's book last confirmed its market: by `times`, or else by the quote itself."""
    stated = dict(zip(_market_keys(times), times.book_time.tolist(), strict=True))
    own = quotes.book_time.tolist()
    return np.array([stated.get(k, t) for k, t in zip(_market_keys(quotes), own, strict=True)], np.int64)


def changes(conn: Connection, poll_id: int) -> PollChanges:
    """What a poll changed, as it was, or would have been, published.

    Raises `LookupError` if there is no such poll.
    """
    row = conn.execute(
        "SELECT s.key, p.observed_at, p.received_at, p.run_id, p.market_times, p.starts "
        "FROM polls AS p INNER JOIN sports AS s ON p.sport_id = s.id WHERE p.id = %s",
        [poll_id],
    ).fetchone()
    if row is None:
        msg = f"there is no poll {poll_id}"
        raise LookupError(msg)
    sport, observed_at, received_at, run_id, times, starts = row
    ticks = conn.execute(POLL_TICKS, {"at": observed_at, "poll": poll_id, "unknown": UNKNOWN_TIME})
    return PollChanges(
        poll_id,
        sport,
        micros(observed_at),
        micros(received_at),
        run_id,
        _quotes(ticks)[0],
        _unpacked(MarketTimes, times),
        _unpacked(EventStarts, starts),
    )


def unscored_polls(conn: Connection) -> list[int]:
    """The polls that the scorer has not come to yet, oldest first."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(
            "SELECT p.id FROM polls AS p LEFT JOIN scorer_progress AS done ON p.sport_id = done.sport_id "
            "WHERE p.id > coalesce(done.poll_id, 0) ORDER BY p.id"
        ).fetchall()


def feed_time(conn: Connection) -> datetime | None:
    """The feed's clock: the moment of the newest poll of any sport."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute("SELECT max(observed_at) FROM polls").fetchone()


def _poll(conn: Connection, sport_id: int, poll_id: int | None) -> Poll | None:
    if poll_id is None:
        return last_poll(conn, sport_id)
    row = conn.execute("SELECT id, observed_at FROM polls WHERE id = %s", [poll_id]).fetchone()
    return Poll(*row) if row else None


def _first_seen(conn: Connection, events: list[int]) -> datetime | str:
    """Before this the events have no ticks: spares the server the partitions of earlier days."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        query = "SELECT min(first_seen_at) FROM events WHERE id = ANY(%s)"
        return cursor.execute(query, [events]).fetchone() or "-infinity"


def _quotes(rows: Iterable[tuple[object, ...]]) -> tuple[QuoteBatch, NDArray[np.int64]]:
    found = list(rows)
    return QuoteBatch.of(r[:-1] for r in found), np.array([r[-1] for r in found], np.int64)


def _unpacked(kind: type, packed: bytes):  # noqa: ANN202
    return decode_columns(kind, zstandard.decompress(packed))


def _market_keys(batch: QuoteBatch | MarketTimes) -> zip[tuple[int, int, int]]:
    return zip(batch.event.tolist(), batch.book.tolist(), batch.market.tolist(), strict=True)
