"""Point-in-time readers: quotes on offer after a poll or at a moment, and what a poll changed.

Every reader takes a poll or a moment and sees nothing later. The live path reads quotes as observed;
`load_quotes_as_of` leaves out what is held out or quarantined, as known now or at an earlier time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from psycopg.rows import args_row

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.store.polls.keyframes import Poll, load_quotes_on_offer
from edge_assets.store.polls.packing import unpack_columns
from ml.quotes import MICROS_PER_SECOND, UNKNOWN_TIME, EventStarts, MarketConfirmations, PollChanges, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import Micros


SELECT_POLL_OF_EVENT = """
SELECT p.id, p.observed_at, p.market_times
FROM polls AS p
WHERE
    p.sport_id = (SELECT sport_id FROM events WHERE id = %(event)s) AND p.observed_at <= %(at)s
    AND (
        p.import_id IS NULL OR p.import_id NOT IN (
            SELECT h.import_id FROM quality_findings_at(%(known_at)s) AS h WHERE h.is_held AND h.is_whole_import
        )
    )
ORDER BY p.observed_at DESC, p.import_id IS NULL DESC, p.id DESC LIMIT 1
"""
SELECT_POLL_TICKS = """
SELECT
    event_id, book_id, market_id, outcome_id, coalesce(point, 'NaN'), coalesce(price, 'NaN'),
    coalesce((extract(epoch FROM book_time) * 1000000)::bigint, %(unknown)s)
FROM odds_ticks WHERE observed_at = %(at)s AND poll_id = %(poll)s
"""
SELECT_UNSCORED_POLLS = """
SELECT p.id, p.sport_id, p.received_at
FROM sports AS s
LEFT JOIN scorer_progress AS done ON s.id = done.sport_id
LEFT JOIN LATERAL (SELECT observed_at FROM polls WHERE id = done.poll_id LIMIT 1) AS scored ON true
CROSS JOIN LATERAL (
    SELECT n.id, n.sport_id, n.received_at FROM polls AS n
    WHERE
        n.sport_id = s.id AND n.import_id IS NULL AND n.observed_at > coalesce(scored.observed_at, '-infinity')
    ORDER BY n.observed_at LIMIT %(limit)s
) AS p
WHERE s.id = coalesce(%(sport)s::smallint, s.id)
ORDER BY p.id
"""
"""By the moment of the last scored poll, which the index on live polls has by sport.

The limit of one keeps the planner from reading all polls: it takes the handful of sports for a thousand.
"""
MAX_BACKLOG_POLLS = 1_000
"""Unscored polls of a sport read at once; callers with more ask again."""
SELECT_BACKLOG = f"""
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0)::double precision
FROM ({SELECT_UNSCORED_POLLS}) AS u WHERE sport_id <> ALL(%(without)s::smallint[])
"""
SELECT_POLLS_BETWEEN = """
SELECT id, sport_id, received_at FROM polls
WHERE sport_id = %s AND import_id IS NULL AND observed_at > %s AND observed_at < %s ORDER BY observed_at
"""


SELECT_QUARANTINED_TICKS = """
SELECT event_id, book_id, market_id, outcome_id, point, poll_id FROM quarantined_ticks
WHERE
    kind IS NULL AND event_id = ANY(%(events)s) AND quarantined_at <= %(known_at)s
    AND coalesce(released_at > %(known_at)s, true)
"""
SELECT_HELD_OUT_POLLS = """
SELECT p.id, e.id, f.book_id, f.market_id
FROM quality_findings_at(%(known_at)s) AS f
INNER JOIN polls AS p
    ON
        (f.import_id IS NULL OR f.import_id = p.import_id) AND (f.sport_id IS NULL OR f.sport_id = p.sport_id)
        AND (f.feed IS NULL OR f.feed = p.feed)
INNER JOIN events AS e ON p.sport_id = e.sport_id
INNER JOIN sports AS s ON e.sport_id = s.id
WHERE
    f.is_held AND f.kind IS NULL AND p.id = ANY(%(polls)s) AND e.id = ANY(%(events)s)
    AND (f.season IS NULL OR f.season = season_of(s.key, e.original_commence_at))
"""


class QuotesAsOf(NamedTuple):
    """Quotes on offer at a moment, the poll that brought each, and each one's age in seconds (n,).

    The age counts from the last confirmation: by the last poll's market times or, where it does not list the
    market, by the tick's own book time. It is infinite where the book never gave a time.
    """

    quotes: QuoteBatch
    poll_ids: NDArray[np.int64]
    age_seconds: NDArray[np.float64]


class UnscoredPoll(NamedTuple):
    """A committed poll that is not scored yet."""

    poll_id: int
    sport_id: int
    received_at: datetime


class ScorerBacklog(NamedTuple):
    """The number of unscored live polls, and how long the oldest has waited."""

    polls: int
    oldest_seconds: float


def find_last_poll(conn: Connection, sport_id: int, at: datetime | None = None) -> Poll | None:
    """The newest live poll of a sport, at or before `at` if given; imports are ignored."""
    row = conn.execute(
        "SELECT id, observed_at FROM polls WHERE sport_id = %s AND observed_at <= %s AND import_id IS NULL "
        "ORDER BY observed_at DESC LIMIT 1",
        [sport_id, at or "infinity"],
    ).fetchone()
    return Poll(*row) if row else None


def load_last_quotes(
    conn: Connection, sport_id: int, upto_poll: int | None = None
) -> tuple[QuoteBatch, NDArray[np.int64]]:
    """The quotes that a poll's feed had on offer after it (default: the last live poll), each with its poll."""
    poll = _find_poll(conn, sport_id, upto_poll)
    if poll is None:
        return QuoteBatch.empty(), np.empty(0, np.int64)
    return load_quotes_on_offer(conn, load_market_state(conn, sport_id, poll.id)[1].event.tolist(), poll)


def load_market_state(
    conn: Connection, sport_id: int, upto_poll: int | None = None
) -> tuple[MarketConfirmations, EventStarts, Micros]:
    """Each market's last confirmation, each listed event's start and the moment, at a poll.

    The default is the last poll; without any poll everything is empty and the moment 0.
    """
    poll = _find_poll(conn, sport_id, upto_poll)
    row = poll and conn.execute("SELECT market_times, starts FROM polls WHERE id = %s", [poll.id]).fetchone()
    if poll is None or row is None:
        return MarketConfirmations.empty(), EventStarts.empty(), 0
    return (
        unpack_columns(MarketConfirmations, row[0]),
        unpack_columns(EventStarts, row[1]),
        to_micros(poll.observed_at),
    )


def load_quotes_as_of(conn: Connection, event_id: int, at: datetime, known_at: datetime | None = None) -> QuotesAsOf:
    """The last quote of every book for every selection of an event at `at`, with its age.

    Only of the feed polled last: other feeds' quotes may be gone. Prices that are held out or quarantined, as known now
    or at `known_at`, are left out.
    """
    # the poll first, then the ticks up to it, so that later commits do not matter
    values = {"event": event_id, "at": at, "known_at": known_at or "infinity"}
    row = conn.execute(SELECT_POLL_OF_EVENT, values).fetchone()
    if row is None:
        return QuotesAsOf(QuoteBatch.empty(), np.empty(0, np.int64), np.empty(0))
    quotes, polls = load_quotes_on_offer(conn, [event_id], Poll(*row[:2]), known_at)
    is_usable = load_clean_mask(conn, quotes, polls, known_at)
    quotes, polls = quotes.take(is_usable), polls[is_usable]
    times = unpack_columns(MarketConfirmations, row[2])
    confirmed_times = confirmed_at(quotes, times.take(times.event == event_id))
    return QuotesAsOf(
        quotes,
        polls,
        np.where(
            confirmed_times == UNKNOWN_TIME, np.inf, np.maximum(to_micros(at) - confirmed_times, 0) / MICROS_PER_SECOND
        ),
    )


def load_clean_mask(
    conn: Connection, quotes: QuoteBatch, polls: NDArray[np.int64], known_at: datetime | None = None
) -> NDArray[np.bool_]:
    """Which quotes (n,), each brought by one of `polls` (n,), are neither held out nor quarantined."""
    values = {"events": np.unique(quotes.event).tolist(), "polls": np.unique(polls).tolist()}
    values["known_at"] = known_at or "infinity"
    clean = np.ones(len(quotes), bool)
    for poll, event, book, market in conn.execute(SELECT_HELD_OUT_POLLS, values):
        is_held_out = (polls == poll) & (quotes.event == event)
        is_held_out &= (book is None) | (quotes.book == book)
        clean &= ~(is_held_out & ((market is None) | (quotes.market == market)))
    for event, book, market, outcome, point, poll in conn.execute(SELECT_QUARANTINED_TICKS, values):
        is_quarantined = (polls == poll) & (quotes.event == event) & (quotes.book == book) & (quotes.market == market)
        is_quarantined &= np.isnan(quotes.point) if point is None else quotes.point == np.float32(point)
        clean &= ~(is_quarantined & (quotes.outcome == outcome))
    return clean


def confirmed_at(quotes: QuoteBatch, times: MarketConfirmations) -> NDArray[np.int64]:
    """When each quote's book last confirmed its market: by `times`, or else by the quote itself."""
    stated = dict(zip(_market_keys(times), times.confirmed_at.tolist(), strict=True))
    own = quotes.book_time.tolist()
    return np.array([stated.get(k, t) for k, t in zip(_market_keys(quotes), own, strict=True)], np.int64)


def load_poll_changes(conn: Connection, poll_id: int) -> PollChanges:
    """What a poll changed, as it was, or would have been, published.

    Raises `LookupError` if there is no such poll.
    """
    row = conn.execute(
        "SELECT s.key, p.observed_at, p.received_at, p.run_id, p.market_times, p.starts "
        "FROM polls AS p INNER JOIN sports AS s ON p.sport_id = s.id WHERE p.id = %s",
        [poll_id],
    ).fetchone()
    if row is None:
        msg = f"poll {poll_id} does not exist"
        raise LookupError(msg)
    sport, observed_at, received_at, run_id, times, starts = row
    ticks = conn.execute(SELECT_POLL_TICKS, {"at": observed_at, "poll": poll_id, "unknown": UNKNOWN_TIME})
    return PollChanges(
        poll_id,
        sport,
        to_micros(observed_at),
        to_micros(received_at),
        run_id,
        QuoteBatch.from_rows(ticks),
        unpack_columns(MarketConfirmations, times),
        unpack_columns(EventStarts, starts),
    )


def load_unscored_polls(conn: Connection, sport_id: int | None = None) -> list[UnscoredPoll]:
    """The unscored live polls of one sport or all, oldest first.

    At most the oldest `MAX_BACKLOG_POLLS` of each sport.
    """
    with conn.cursor(row_factory=args_row(UnscoredPoll)) as cursor:
        return cursor.execute(SELECT_UNSCORED_POLLS, {"sport": sport_id, "limit": MAX_BACKLOG_POLLS}).fetchall()


def load_backlog(conn: Connection, excluded_sports: Collection[int] = ()) -> ScorerBacklog:
    """The scorer's backlog without `excluded_sports`; counts at most `MAX_BACKLOG_POLLS` per sport."""
    values = {"sport": None, "limit": MAX_BACKLOG_POLLS, "without": list(excluded_sports)}
    with conn.cursor(row_factory=args_row(ScorerBacklog)) as cursor:
        return cursor.execute(SELECT_BACKLOG, values).fetchall()[0]


def load_polls_between(conn: Connection, sport_id: int, after: Micros, before: Micros) -> list[UnscoredPoll]:
    """The live polls of a sport between two moments, oldest first."""
    with conn.cursor(row_factory=args_row(UnscoredPoll)) as cursor:
        return cursor.execute(SELECT_POLLS_BETWEEN, [sport_id, to_datetime(after), to_datetime(before)]).fetchall()


def _find_poll(conn: Connection, sport_id: int, poll_id: int | None) -> Poll | None:
    if poll_id is None:
        return find_last_poll(conn, sport_id)
    row = conn.execute("SELECT id, observed_at FROM polls WHERE id = %s", [poll_id]).fetchone()
    return Poll(*row) if row else None


def _market_keys(batch: QuoteBatch | MarketConfirmations) -> zip[tuple[int, int, int]]:
    return zip(batch.event.tolist(), batch.book.tolist(), batch.market.tolist(), strict=True)
